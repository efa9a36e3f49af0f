// Preference pairs as the PPM read them: the shared steps, then the better and the worse ones.

import {ask} from '../api.js'
import {chip, empty, h, link, put, select, switcher} from '../dom.js'
import {count} from '../format.js'
import {go, to} from '../router.js'
import {wholeWay} from '../tree/detail.js'

const PAGE = 20

export async function show(root, {run, query, signal, mount}) {
  const {rounds, models} = await ask(['runs', run], {}, signal)
  const searched = rounds.filter(each => each.train)
  if (!searched.length)
    return put(root, h('h1', {}, 'Preference pairs'), empty('No round has been searched yet.'))
  const round =
    query.round ??
    String((searched.findLast(each => each.round.trained_at) ?? searched.at(-1)).round.number)
  const offset = Number(query.offset) || 0
  const turn = changes => go(to(run, 'pairs', [], {...query, round, offset: '', ...changes}))
  const {kind, split, search} = query
  const {pairs} = await ask(
    ['runs', run, 'rounds', round, 'pairs'],
    {kind, split, search, offset, limit: PAGE},
    signal,
  )
  put(
    root,
    h(
      'div.title',
      {},
      h('h1', {}, 'Preference pairs'),
      h(
        'p',
        {},
        'What the PPM was trained or tested on. ',
        hasMistakes(models, round) &&
          link(to(run, 'mistakes', [], {round}), 'What it gets most wrong →'),
      ),
    ),
    filters(query, searched, round, turn),
    h(
      'section.cards',
      {},
      pairs.map(each => card(each, run)),
      pairs.length === 0 && empty('There are none.'),
    ),
    h(
      'nav.pager',
      {'aria-label': 'pages'},
      h(
        'button',
        {
          type: 'button',
          disabled: offset === 0,
          onclick: () => turn({offset: Math.max(0, offset - PAGE)}),
        },
        '‹ back',
      ),
      h('span', {}, pairs.length ? `${count(offset + 1)} – ${count(offset + pairs.length)}` : ''),
      h(
        'button',
        {
          type: 'button',
          disabled: pairs.length < PAGE,
          onclick: () => turn({offset: offset + PAGE}),
        },
        'on ›',
      ),
    ),
  )
  mount()
}

const hasMistakes = (models, round) =>
  models.some(each => String(each.round) === round && each.manifest.worst_pairs)

function filters(query, searched, round, turn) {
  const numbers = searched.map(each => [String(each.round.number), String(each.round.number)])
  const one =
    query.search &&
    h(
      'button',
      {type: 'button', title: 'show those of all trees', onclick: () => turn({search: ''})},
      'of one tree ×',
    )
  return h(
    'div.filters',
    {},
    one,
    switcher(
      'kind',
      query.kind ?? '',
      [
        ['', 'all'],
        ['step', 'steps'],
        ['trajectory', 'whole solutions'],
      ],
      kind => turn({kind}),
    ),
    switcher(
      'split',
      query.split ?? '',
      [
        ['', 'all'],
        ['train', 'trained on'],
        ['heldout', 'held out'],
      ],
      split => turn({split}),
    ),
    select('round', round, numbers, value => turn({round: value})),
  )
}

const card = (view, run) =>
  pairCard(view, run, [
    chip(view.pair.kind === 'step' ? 'step' : 'whole solutions'),
    chip(view.pair.split === 'heldout' ? 'held out' : 'trained on'),
    h('span', {}, 'weight ', h('b', {}, view.pair.weight.toFixed(2))),
  ])

/** The question, the shared steps and both continuations, under a header of `facts`. */
export function pairCard({pair, question, shared, chosen, rejected}, run, facts) {
  return h(
    'article.card.pair',
    {},
    h(
      'header',
      {},
      facts,
      h(
        'a.more',
        {
          href: to(run, 'search', [pair.search_id, pair.chosen_path], {tab: 'siblings'}),
          'data-row': '',
        },
        'in its tree →',
      ),
    ),
    h('p.question', {}, question),
    shared.length > 0 &&
      h(
        'details',
        {},
        h('summary', {}, `${shared.length} shared ${shared.length === 1 ? 'step' : 'steps'}`),
        wholeWay(shared, null),
      ),
    h(
      'div.versus',
      {},
      side('better', 'good', chosen, run, pair),
      side('worse', 'bad', rejected, run, pair),
    ),
  )
}

function side(word, tone, steps, run, pair) {
  const path = steps.at(-1)?.path ?? '0'
  return h(
    `section.side.${tone}`,
    {},
    h('h4', {}, word, ' ', link(to(run, 'search', [pair.search_id, path]), h('code', {}, path))),
    wholeWay(steps, null),
  )
}
