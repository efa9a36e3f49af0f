// Models and their lineage, as a drawing and as a card for each.

import {ask, every} from '../api.js'
import {chip, empty, h, link, put, svg} from '../dom.js'
import {fact, when} from '../format.js'
import {to} from '../router.js'
import {paintTrainings} from './trainings.js'

const BOX = {width: 150, height: 40}
const STEP = {x: 190, y: 64}

const LIVE_SECONDS = 2
const IDLE_SECONDS = 10

export async function show(root, {run, parts: [chosen], store, signal, mount}) {
  const {models, rounds} = await ask(['runs', run], {}, signal)
  const known = new Set(models.map(each => each.id))
  const trainings = h('section.charts', {'aria-label': 'trainings'})
  put(
    root,
    h(
      'div.title',
      {},
      h('h1', {}, 'Models'),
      h('p', {}, 'Arrows lead from what a training started from to what it made.'),
    ),
    trainings,
    models.length
      ? [
          descent(models, run, chosen, known),
          h(
            'section.cards.models',
            {},
            models.toReversed().map(each => card(each, rounds, run, chosen, known)),
          ),
        ]
      : empty('No model has been published yet.'),
  )
  if (store.has_home) await follow(trainings, models, signal)
  mount()
  if (chosen) document.getElementById(`model-${chosen}`)?.scrollIntoView({block: 'start'})
}

/** Keep the curves on screen up to date: a busy trainer is asked more often than an idle one. */
async function follow(trainings, models, signal) {
  let busy = await paintTrainings(trainings, models, signal)
  let turn = 0
  every(
    LIVE_SECONDS,
    async () => {
      turn += 1
      if (busy || turn % (IDLE_SECONDS / LIVE_SECONDS) === 0)
        busy = await paintTrainings(trainings, models, signal)
    },
    signal,
  )
}

function descent(models, run, chosen, known) {
  const columns = [...new Set(models.map(each => each.round))].sort((a, b) => a - b)
  const rows = new Map()
  const places = new Map()
  for (const each of models) {
    const key = `${each.round} ${each.kind}`
    const nth = rows.get(key) ?? 0
    rows.set(key, nth + 1)
    places.set(each.id, {
      x: 12 + STEP.x * columns.indexOf(each.round),
      y: 34 + STEP.y * ((each.kind === 'ppm' ? 1 : 0) + 2 * nth),
    })
  }
  const height = Math.max(...[...places.values()].map(place => place.y)) + BOX.height + 12
  const width = STEP.x * columns.length
  return h(
    'section.card.descent',
    {},
    h(
      'div.scroll',
      {},
      svg(
        'svg',
        {
          width,
          height,
          viewBox: `0 0 ${width} ${height}`,
          role: 'img',
          'aria-label': 'descent of the models',
        },
        columns.map((round, i) =>
          svg(
            'text.tick',
            {x: 12 + STEP.x * i, y: 18},
            round === 0 ? 'bootstrap' : `after round ${round}`,
          ),
        ),
        models
          .filter(each => known.has(each.parent_id))
          .map(each => arrow(places.get(each.parent_id), places.get(each.id))),
        models.map(each => box(each, places.get(each.id), run, chosen)),
      ),
    ),
  )
}

function arrow(from, to_) {
  const sameColumn = from.x === to_.x
  const [x1, y1] = sameColumn
    ? [from.x + BOX.width / 2, from.y + BOX.height]
    : [from.x + BOX.width, from.y + BOX.height / 2]
  const [x2, y2] = sameColumn ? [to_.x + BOX.width / 2, to_.y] : [to_.x, to_.y + BOX.height / 2]
  const middle = (x1 + x2) / 2
  const path = sameColumn
    ? `M${x1} ${y1}L${x2} ${y2 - 5}`
    : `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2 - 5} ${y2}`
  const head = sameColumn ? `M${x2 - 4} ${y2 - 6}l4 5l4 -5` : `M${x2 - 6} ${y2 - 4}l5 4l-5 4`
  return svg('g.arrow', {}, svg('path', {d: path}), svg('path', {d: head}))
}

function box(each, {x, y}, run, chosen) {
  const look = [
    'g.version',
    each.kind,
    each.status === 'refused' && 'refused',
    each.id === chosen && 'chosen',
  ]
    .filter(Boolean)
    .join('.')
  return svg(
    'a',
    {href: to(run, 'models', [each.id]), 'aria-label': each.id},
    svg(
      look,
      {},
      svg('rect', {x, y, width: BOX.width, height: BOX.height, rx: 7}),
      svg('text', {x: x + 11, y: y + 17}, each.kind === 'ppm' ? 'PPM' : 'policy'),
      svg(
        'text.small',
        {x: x + 11, y: y + 31},
        each.id.length > 23 ? `${each.id.slice(0, 22)}…` : each.id,
      ),
    ),
  )
}

function card(each, rounds, run, chosen, known) {
  const used = rounds
    .filter(({round}) => [round.policy_id, round.ppm_id].includes(each.id))
    .map(({round}) => round.number)
  const {settings = {}, libraries = {}, files, ...manifest} = each.manifest
  const parent = known.has(each.parent_id)
    ? h('a', {href: to(run, 'models', [each.parent_id])}, each.parent_id)
    : each.parent_id
  return h(
    'article.card.model',
    {id: `model-${each.id}`, 'aria-current': each.id === chosen ? 'true' : null},
    h(
      'header',
      {},
      chip(each.kind === 'ppm' ? 'PPM' : 'policy', each.kind === 'ppm' ? 'tone-2' : 'tone-1'),
      h('h2', {}, h('code', {}, each.id)),
      chip(each.status, each.status === 'refused' ? 'bad' : 'good'),
    ),
    each.reason && h('p.failure', {}, each.reason),
    facts([
      ['made from', parent ?? 'the base model'],
      ['after round', each.round],
      ['searches in round', used.join(', ')],
      ['published', when(each.created_at)],
      ['folder', each.path],
      ['gets wrong', mistakes(each, run)],
    ]),
    table('Training', each.metrics),
    table('Settings', settings),
    table('Manifest', manifest),
    table('Libraries', libraries),
  )
}

const mistakes = ({kind, round, manifest}, run) =>
  kind === 'ppm' && manifest.worst_pairs > 0
    ? link(to(run, 'mistakes', [], {round}), `${manifest.worst_pairs} held-out pairs →`)
    : null

const facts = pairs =>
  h(
    'dl.facts',
    {},
    pairs
      .filter(([, value]) => value !== '' && value !== null && value !== undefined)
      .map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]),
  )

function table(title, values) {
  const pairs = Object.entries(values)
  if (!pairs.length) return null
  return h(
    'details',
    {open: title === 'Training'},
    h('summary', {}, title),
    facts(pairs.map(([name, value]) => [name, fact(value)])),
  )
}
