// Models and their lineage, as a drawing and as a card for each.

import {ask, every} from '../api.js'
import {chip, empty, h, link, put, svg} from '../dom.js'
import {fact, when} from '../format.js'
import {to} from '../router.js'
import {paintTrainings} from './trainings.js'

const BOX = {width: 150, height: 40}
const STEP = {x: 190, y: 50}

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
      h('p', {}, 'A line leads from a version down to each that was trained from it.'),
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

/** Each version in a row of its own below what it was trained from, so that no line crosses a box. */
function descent(models, run, chosen, known) {
  const columns = [...new Set(models.map(each => each.round))].sort((a, b) => a - b)
  const rows = inFamilies(models, known)
  const places = new Map(
    rows.map((each, row) => [each.id, {x: left(each, columns, models), y: 30 + STEP.y * row}]),
  )
  const width = 20 + Math.max(...[...places.values()].map(({x}) => x)) + BOX.width
  const height = 30 + STEP.y * rows.length
  return h(
    'section.card.descent',
    {},
    h('h2', {}, 'Lineage'),
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
            {x: 12 + STEP.x * i, y: 16},
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

/** The versions, each before its descendants: PPMs first, which have none. */
function inFamilies(models, known) {
  const children = parent => models.filter(each => each.parent_id === parent)
  const order = (a, b) => b.kind.localeCompare(a.kind) || a.round - b.round
  const seen = new Set()
  const family = each => {
    if (seen.has(each.id)) return []
    seen.add(each.id)
    return [each, ...children(each.id).toSorted(order).flatMap(family)]
  }
  return models.filter(each => !known.has(each.parent_id)).concat(models).flatMap(family)
}

/** By round; a little further to the right than a parent of the same round. */
function left(each, columns, models) {
  const parent = models.find(({id}) => id === each.parent_id)
  return 12 + STEP.x * columns.indexOf(each.round) + (parent?.round === each.round ? 26 : 0)
}

/** From the foot of a version down to the row of one that was trained from it. */
function arrow(from, until) {
  const [x, y] = [from.x + 12, until.y + BOX.height / 2]
  const path = `M${x} ${from.y + BOX.height}V${y - 6}q0 6 6 6H${until.x - 2}`
  const head = `M${until.x - 6} ${y - 4}l5 4l-5 4`
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
