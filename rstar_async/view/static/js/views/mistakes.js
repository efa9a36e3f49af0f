// The held-out pairs that the PPM of a round gets most wrong, grouped by where their steps differ.

import {ask} from '../api.js'
import {chip, empty, h, link, put, select, switcher} from '../dom.js'
import {count, percent, signed} from '../format.js'
import {go, to} from '../router.js'
import {pager} from '../parts.js'
import {pairCard} from './pairs.js'

const PAGE = 20
const MOST = 100
const KINDS = {
  __proto__: null,
  operation: 'operations',
  number: 'numbers',
  name: 'names',
  wording: 'words',
  length: 'length',
}

export async function show(root, {run, query, signal, mount}) {
  const {models} = await ask(['runs', run], {}, signal)
  const rounds = models.filter(each => each.manifest.worst_pairs > 0).map(each => each.round)
  const heading = h('h1', {}, 'What the PPM gets most wrong')
  if (!rounds.length)
    return put(root, heading, empty('No PPM of this run has held-out pairs in the wrong order.'))
  const round = query.round ?? String(rounds.at(-1))
  const offset = Number(query.offset) || 0
  const turn = changes => go(to(run, 'mistakes', [], {...query, round, offset: '', ...changes}))
  const page = await ask(
    ['runs', run, 'rounds', round, 'mistakes'],
    {kind: query.kind, offset, limit: PAGE},
    signal,
  )
  put(
    root,
    h('div.title', {}, heading, summary(page, run)),
    filters(query, rounds, round, page, turn),
    h(
      'section.cards',
      {},
      page.mistakes.map(each => card(each, run)),
      page.mistakes.length === 0 && empty('There are none.'),
    ),
    pager(page.total, offset, turn, PAGE),
  )
  mount()
}

/** How well the PPM orders held-out pairs, and how many of the labels it learnt from are right. */
function summary({ppm, metrics, kinds}, run) {
  const all = kinds.reduce((sum, [, number]) => sum + number, 0)
  const judged = metrics.labels_judged
  return h(
    'p',
    {},
    link(to(run, 'models', [ppm]), ppm),
    ` orders ${percent(metrics.pair_accuracy)} of the held-out pairs right. `,
    all < MOST ? `Its ${count(all)} mistakes` : `Its ${MOST} worst mistakes`,
    ', by the first word, number or sign that differs.',
    judged > 0 &&
      ` Of ${count(judged)} pairs that it learnt from, ${percent(metrics.labels_right / judged)} are right.`,
  )
}

function filters(query, rounds, round, {kinds}, turn) {
  const all = kinds.reduce((sum, [, number]) => sum + number, 0)
  return h(
    'div.filters',
    {},
    switcher(
      'what differs',
      query.kind ?? '',
      [
        ['', `all ${count(all)}`],
        ...kinds.map(([kind, number]) => [kind, `${KINDS[kind] ?? kind} ${count(number)}`]),
      ],
      kind => turn({kind}),
    ),
    select(
      'round',
      round,
      [...new Set(rounds)].map(each => [String(each), String(each)]),
      value => turn({round: value, kind: ''}),
    ),
  )
}

function card({view, kind, tokens, scores}, run) {
  const [better, worse] = tokens.map(token => h('code', {}, token || 'the end'))
  return pairCard(view, run, [
    chip(KINDS[kind] ?? kind),
    h('span', {}, better, ' against ', worse),
    h('span', {}, 'scores ', h('b', {}, scores.map(each => signed(each)).join(' against '))),
  ])
}
