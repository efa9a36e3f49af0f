// The first page: how the rounds of a run went, in curves and in a table that can be clicked on.

import {ask, every} from '../api.js'
import {chart} from '../chart.js'
import {chip, empty, h, link, put} from '../dom.js'
import {count, duration, percent, short, when} from '../format.js'
import {to} from '../router.js'

const TONES = {searching: 'busy', searched: 'busy', trained: 'busy', closed: 'good'}
const LIVE_SECONDS = 3

export async function show(root, {run, signal, mount}) {
  const tokens = new Map()
  const refresh = async () => {
    const found = await ask(['runs', run], {}, signal)
    paint(root, found, tokens)
    return found
  }
  const found = await refresh()
  mount()
  await learnTokens(found.rounds, tokens, signal)
  paint(root, found, tokens)
  if (isOpen(found))
    every(LIVE_SECONDS, async () => {
      const now = await refresh()
      await learnTokens(now.rounds.slice(-1), tokens, signal)
      paint(root, now, tokens)
    }, signal)
}

const isOpen = found => found.rounds.some(each => each.round.status !== 'closed') || !found.rounds.length

/** Sums over expansions come after the first paint: they are the ones that grow with the store. */
async function learnTokens(rounds, tokens, signal) {
  await Promise.all(rounds.map(async ({round}) => {
    const found = await ask(['runs', round.run_id, 'rounds', round.number, 'tokens'], {}, signal)
    tokens.set(round.number, found.totals)
  }))
}

function paint(root, found, tokens) {
  put(root,
    h('div.title', {}, h('h1', {}, found.run.id), h('p', {},
      `${when(found.run.created_at)} · seed ${found.run.seed} · rstar_async ${found.run.code_version}`)),
    found.rounds.length ? [charts(found, tokens), roundTable(found, tokens), evaluationTable(found)]
      : empty('The run has not begun its first round yet.'))
}

function charts(found, tokens) {
  const pass = method => found.evaluations.filter(each => each.method === method)
    .map(each => ({x: each.round, y: each.pass_at_1, low: each.low, high: each.high}))
  const perRound = figure => found.rounds.filter(each => each.train)
    .map(each => ({x: each.round.number, y: figure(each)})).filter(point => Number.isFinite(point.y))
  const share = (value, tick) => percent(value, tick ? 0 : 1)
  return h('section.charts', {'aria-label': 'curves'},
    chart('pass@1', [{name: 'policy', tone: 'tone-1', points: pass('policy')},
      {name: 'search', tone: 'tone-2', points: pass('search')}], {say: share, top: 0.5}),
    chart('Problems solved', [{name: '', tone: 'tone-3', points: perRound(solvedShare)}], {say: share, top: 1}),
    chart('Pair accuracy of the PPM', [{name: '', tone: 'tone-4', points: accuracy(found)}], {say: share, top: 1}),
    chart('Tokens sampled', [{name: '', tone: 'tone-5', bars: true, points: perRound(each => trainTotals(each, tokens)?.new_tokens)}],
      {say: short, bars: true}))
}

const solvedShare = ({train}) => train.solved / train.searches
const trainTotals = ({round}, tokens) => tokens.get(round.number)?.find(each => each.purpose === 'train')

const accuracy = found => found.models
  .filter(each => each.kind === 'ppm' && typeof each.metrics.pair_accuracy === 'number')
  .map(each => ({x: each.round, y: each.metrics.pair_accuracy}))

function roundTable(found, tokens) {
  const head = ['Round', '', 'Problems', 'Solved', 'Nodes', 'Tokens', 'Policy', 'PPM', 'Took']
  return h('section.card', {}, h('h2', {}, 'Rounds'), h('div.scroll', {}, h('table.rows', {},
    h('thead', {}, h('tr', {}, head.map((name, i) => h(i > 1 && i < 6 ? 'th.number' : 'th', {scope: 'col'}, name)))),
    h('tbody', {}, found.rounds.map(each => roundRow(each, tokens))))))
}

function roundRow(each, tokens) {
  const {round, train} = each
  const totals = trainTotals(each, tokens)
  const problems = to(round.run_id, 'problems', [], {round: round.number})
  return h('tr', {},
    h('td', {}, h('a', {href: problems, 'data-row': ''}, round.number === 0 ? 'bootstrap' : `round ${round.number}`)),
    h('td', {}, chip(round.status, TONES[round.status]), round.status === 'searching' && train && progress(train)),
    h('td.number', {}, count(train?.searches)),
    h('td.number', {}, train ? [count(train.solved), ' ', meter(solvedShare(each))] : '–'),
    h('td.number', {}, count(totals?.nodes)),
    h('td.number', {}, short(totals?.new_tokens)),
    h('td', {}, model(round, round.policy_id)),
    h('td', {}, model(round, round.ppm_id)),
    h('td', {}, round.closed_at ? duration(round.closed_at - round.started_at) : `since ${when(round.started_at)}`))
}

const model = (round, id) => (id ? link(to(round.run_id, 'models', [id]), h('code', {}, id)) : '–')

const meter = share =>
  h('span.meter', {title: percent(share), vars: {'--share': percent(share)}}, percent(share, 0))

function progress(train) {
  const done = train.finished + train.failed
  const words = `${done} of ${train.searches} searches done, ${train.running} running`
  return h('progress', {max: train.searches || 1, value: done, title: words, 'aria-label': words})
}

function evaluationTable(found) {
  if (!found.evaluations.length) return null
  const head = ['Round', 'Method', 'Benchmark', 'Problems', 'pass@1', 'Interval', 'Tokens', 'Took', 'Models']
  const row = each => h('tr', {},
    h('td', {}, each.round), h('td', {}, each.method), h('td', {}, each.benchmark),
    h('td.number', {}, count(each.problems)),
    h('td.number', {}, h('b', {}, percent(each.pass_at_1))),
    h('td.number.dim', {}, `${percent(each.low, 0)} – ${percent(each.high, 0)}`),
    h('td.number', {}, short(each.new_tokens)), h('td', {}, duration(each.seconds)),
    h('td', {}, model(each, each.policy_id), each.ppm_id && [' + ', model(each, each.ppm_id)]))
  return h('section.card', {}, h('h2', {}, 'Evaluations'), h('div.scroll', {}, h('table.rows', {},
    h('thead', {}, h('tr', {}, head.map((name, i) => h(i > 2 && i < 7 ? 'th.number' : 'th', {scope: 'col'}, name)))),
    h('tbody', {}, found.evaluations.map(row)))))
}
