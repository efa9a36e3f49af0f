// The tables of the first page: rounds, and evaluations.

import {chip, h, link} from '../dom.js'
import {count, duration, percent, short, when} from '../format.js'
import {to} from '../router.js'

const TONES = {searching: 'busy', searched: 'busy', trained: 'busy', closed: 'good'}

export const solvedShare = ({train}) => train.solved / train.searches

/** Nodes and tokens of a round's training searches, once they are known. */
export const trainTotals = ({round}, tokens) =>
  tokens.get(round.number)?.find(each => each.purpose === 'train')

export function roundTable(found, tokens) {
  const head = ['Round', '', 'Problems', 'Solved', 'Nodes', 'Tokens', 'Policy', 'PPM', 'Took']
  return h(
    'section.card',
    {},
    h('h2', {}, 'Rounds'),
    h(
      'div.scroll',
      {},
      h(
        'table.rows',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            head.map((name, i) => h(i > 1 && i < 6 ? 'th.number' : 'th', {scope: 'col'}, name)),
          ),
        ),
        h(
          'tbody',
          {},
          found.rounds.map(each => roundRow(each, tokens)),
        ),
      ),
    ),
  )
}

function roundRow(each, tokens) {
  const {round, train} = each
  const totals = trainTotals(each, tokens)
  const problems = to(round.run_id, 'problems', [], {
    round: round.number,
    purpose: train ? '' : 'evaluation',
  })
  return h(
    'tr',
    {},
    h(
      'td',
      {},
      h(
        'a',
        {href: problems, 'data-row': ''},
        round.number === 0 ? 'bootstrap' : `round ${round.number}`,
      ),
    ),
    h(
      'td',
      {},
      chip(round.status, TONES[round.status]),
      round.status === 'searching' && train && progress(train),
    ),
    h('td.number', {}, count(train?.searches)),
    h('td.number', {}, train ? [count(train.solved), ' ', meter(solvedShare(each))] : '–'),
    h('td.number', {}, count(totals?.nodes)),
    h('td.number', {}, short(totals?.new_tokens)),
    h('td', {}, model(round, round.policy_id)),
    h('td', {}, model(round, round.ppm_id)),
    h(
      'td',
      {},
      round.status === 'closed'
        ? duration(round.seconds)
        : `since ${when(round.started_at)}`,
    ),
  )
}

const model = (round, id) => (id ? link(to(round.run_id, 'models', [id]), h('code', {}, id)) : '–')

const meter = share =>
  h('span.meter', {title: percent(share), vars: {'--share': `${100 * share}%`}}, percent(share, 0))

function progress(train) {
  const done = train.finished + train.failed
  const words = `${done} of ${train.searches} searches done, ${train.running} running`
  return h('progress', {max: train.searches || 1, value: done, title: words, 'aria-label': words})
}

/** On how many of how many problems; older evaluations do not tell. */
const measured = ({problems, settings}) =>
  settings.measured === undefined
    ? count(problems)
    : `${count(settings.measured)} of ${count(problems)}`

export function evaluationTable(found) {
  if (!found.evaluations.length) return null
  const head = [
    'Round',
    'Method',
    'Benchmark',
    'Problems',
    'pass@1',
    'Interval',
    'Tokens',
    'Took',
    'Models',
  ]
  const row = each =>
    h(
      'tr',
      {},
      h('td', {}, each.round),
      h('td', {}, each.method),
      h('td', {}, each.benchmark),
      h('td.number', {}, measured(each)),
      h('td.number', {}, h('b', {}, percent(each.pass_at_1))),
      h('td.number.dim', {}, `${percent(each.low, 0)} – ${percent(each.high, 0)}`),
      h('td.number', {}, short(each.new_tokens)),
      h('td', {}, duration(each.seconds)),
      h('td', {}, model(each, each.policy_id), each.ppm_id && [' + ', model(each, each.ppm_id)]),
    )
  return h(
    'section.card',
    {},
    h('h2', {}, 'Evaluations'),
    h(
      'div.scroll',
      {},
      h(
        'table.rows',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            head.map((name, i) => h(i > 2 && i < 7 ? 'th.number' : 'th', {scope: 'col'}, name)),
          ),
        ),
        h('tbody', {}, found.evaluations.map(row)),
      ),
    ),
  )
}
