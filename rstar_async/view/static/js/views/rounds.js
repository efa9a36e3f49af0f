// The first page: the rounds of a run as curves and tables.

import {ask, every} from '../api.js'
import {chart} from '../chart.js'
import {empty, h, repaint} from '../dom.js'
import {percent, short, when} from '../format.js'
import {evaluationTable, roundTable, solvedShare, trainTotals} from './round_tables.js'

const LIVE_SECONDS = 3

export async function show(root, {run, store, signal, mount}) {
  const tokens = new Map()
  const known = store.newest?.run.id === run ? store.newest : null
  const found = known ?? (await ask(['runs', run], {}, signal))
  paint(root, found, tokens)
  mount()
  await learnTokens(found.rounds, tokens, signal)
  paint(root, found, tokens)
  if (isOpen(found))
    every(
      LIVE_SECONDS,
      async () => {
        const now = await ask(['runs', run], {}, signal)
        await learnTokens(now.rounds.slice(-1), tokens, signal)
        paint(root, now, tokens)
      },
      signal,
    )
}

const isOpen = found =>
  found.rounds.some(each => each.round.status !== 'closed') || !found.rounds.length

/** Sums over expansions are loaded after the first paint, since they take longer in large stores. */
async function learnTokens(rounds, tokens, signal) {
  await Promise.all(
    rounds.map(async ({round}) => {
      const found = await ask(['runs', round.run_id, 'rounds', round.number, 'tokens'], {}, signal)
      tokens.set(round.number, found.totals)
    }),
  )
}

function paint(root, found, tokens) {
  repaint(
    root,
    h(
      'div.title',
      {},
      h('h1', {}, found.run.id),
      h(
        'p',
        {},
        `${when(found.run.created_at)} · seed ${found.run.seed} · rstar_async ${found.run.code_version}`,
      ),
    ),
    found.rounds.length
      ? [charts(found, tokens), roundTable(found, tokens), evaluationTable(found)]
      : empty('The run has not begun its first round yet.'),
  )
}

function charts(found, tokens) {
  const pass = method =>
    found.evaluations
      .filter(each => each.method === method)
      .map(each => ({x: each.round, y: each.pass_at_1, low: each.low, high: each.high}))
  const perRound = figure =>
    found.rounds
      .filter(each => each.train)
      .map(each => ({x: each.round.number, y: figure(each)}))
      .filter(point => Number.isFinite(point.y))
  const share = (value, tick) => percent(value, tick ? 0 : 1)
  return h(
    'section.charts',
    {'aria-label': 'curves'},
    chart(
      'pass@1',
      [
        {name: 'policy', tone: 'tone-1', points: pass('policy')},
        {name: 'search', tone: 'tone-2', points: pass('search')},
      ],
      {format: share, top: 0.5},
    ),
    chart('Problems solved', [{name: '', tone: 'tone-3', points: perRound(solvedShare)}], {
      format: share,
      top: 1,
    }),
    chart('Pair accuracy of the PPM', [{name: '', tone: 'tone-4', points: accuracy(found)}], {
      format: share,
      top: 1,
    }),
    chart(
      'Tokens sampled',
      [
        {
          name: '',
          tone: 'tone-5',
          bars: true,
          points: perRound(each => trainTotals(each, tokens)?.new_tokens),
        },
      ],
      {format: short, bars: true},
    ),
  )
}

const accuracy = found =>
  found.models
    .filter(each => each.kind === 'ppm' && typeof each.metrics.pair_accuracy === 'number')
    .map(each => ({x: each.round, y: each.metrics.pair_accuracy}))
