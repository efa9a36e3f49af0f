// The tables of the first page: rounds, and evaluations.

import {chip, h, link} from '../dom.js'
import {count, duration, percent, short, when} from '../format.js'
import {to} from '../router.js'
import {table} from '../table.js'

const TONES = {searching: 'busy', searched: 'busy', trained: 'busy', closed: 'good'}

export const solvedShare = ({train}) => train.solved / train.searches

/** Nodes and tokens of a round's training searches, once they are known. */
export const trainTotals = ({round}, tokens) =>
  tokens.get(round.number)?.find(each => each.purpose === 'train')

export const roundTable = (found, tokens) =>
  h('section.card', {}, h('h2', {}, 'Rounds'), table('rounds', roundColumns(tokens), found.rounds))

function roundColumns(tokens) {
  const number = (name, about, value, cell) => ({name, about, number: true, value, cell})
  const totals = each => trainTotals(each, tokens)
  return [
    {
      name: 'Round',
      about: 'the bootstrap teaches the format; each round then searches, trains and measures',
      value: ({round}) => round.number,
      cell: roundLink,
    },
    {
      name: 'Status',
      about: 'searching, searched (the trainer is at work), trained (being measured), closed',
      value: ({round}) => round.status,
      cell: standing,
    },
    number('Problems', 'training searches: one tree each', ({train}) => train?.searches, problems),
    number(
      'Solved',
      'problems with a right answer somewhere in their tree',
      ({train}) => train?.solved,
      solved,
    ),
    number('Nodes', 'steps in the trees', each => totals(each)?.nodes, each =>
      count(totals(each)?.nodes),
    ),
    number('Tokens', 'sampled in the trees', each => totals(each)?.new_tokens, each =>
      short(totals(each)?.new_tokens),
    ),
    modelColumn('Policy', 'the policy that searched in it', 'policy_id'),
    modelColumn('PPM', 'the PPM that guided the search, if any', 'ppm_id'),
    number('Took', 'pauses left out', ({round}) => round.seconds, took),
  ]
}

const roundLink = ({round, train}) => {
  const query = {round: round.number, purpose: train ? '' : 'evaluation'}
  const name = round.number === 0 ? 'bootstrap' : `round ${round.number}`
  return h('a', {href: to(round.run_id, 'problems', [], query), 'data-row': ''}, name)
}

const standing = ({round, train}) => [
  chip(round.status, TONES[round.status]),
  round.status === 'searching' && train && progress(train),
]

const problems = ({train}) => count(train?.searches)

const solved = each =>
  each.train ? [count(each.train.solved), ' ', meter(solvedShare(each))] : '–'

const took = ({round}) =>
  round.status === 'closed' ? duration(round.seconds) : `since ${when(round.started_at)}`

const modelColumn = (name, about, field) => ({
  name,
  about,
  value: each => (each.round.run_id ? each.round : each)[field],
  cell: each => model(each.round.run_id ? each.round : each, field),
})

const model = (row, field) =>
  row[field] ? link(to(row.run_id, 'models', [row[field]]), h('code', {}, row[field])) : '–'

const meter = share =>
  h('span.meter', {title: percent(share), vars: {'--share': `${100 * share}%`}}, percent(share, 0))

function progress(train) {
  const done = train.finished + train.failed
  const words = `${done} of ${train.searches} searches done, ${train.running} running`
  return h('progress', {max: train.searches || 1, value: done, title: words, 'aria-label': words})
}

/** On how many of how many problems; older evaluations do not tell. */
const measured = ({problems: all, settings}) =>
  settings.measured === undefined ? count(all) : `${count(settings.measured)} of ${count(all)}`

export const evaluationTable = found =>
  found.evaluations.length > 0 &&
  h(
    'section.card',
    {},
    h('h2', {}, 'Evaluations'),
    table('evaluations', EVALUATION_COLUMNS, found.evaluations),
  )

const EVALUATION_COLUMNS = [
  {name: 'Round', about: 'whose models were measured', number: true, value: each => each.round},
  {
    name: 'Method',
    about: 'policy: samples of the policy alone; search: the answer of a tree; majority: a vote of samples',
    value: each => each.method,
  },
  {name: 'Benchmark', about: 'where its problems come from', value: each => each.benchmark},
  {
    name: 'Problems',
    about: 'measured of all',
    number: true,
    value: each => each.problems,
    cell: measured,
  },
  {
    name: 'pass@1',
    about: 'mean share of right answers',
    number: true,
    value: each => each.pass_at_1,
    cell: each => h('b', {}, percent(each.pass_at_1)),
  },
  {
    name: 'Interval',
    about: 'of pass@1, 95 %',
    number: true,
    value: each => each.low,
    cell: each => h('span.dim', {}, `${percent(each.low, 0)} – ${percent(each.high, 0)}`),
  },
  {
    name: 'Tokens',
    about: 'sampled for all problems',
    number: true,
    value: each => each.new_tokens,
    cell: each => short(each.new_tokens),
  },
  {
    name: 'Took',
    number: true,
    value: each => each.seconds,
    cell: each => duration(each.seconds),
  },
  modelColumn('Policy', 'that was measured', 'policy_id'),
  modelColumn('PPM', 'that chose among answers, if any', 'ppm_id'),
  {
    name: 'Answers',
    about: 'each answer behind the figure',
    value: each => each.id,
    cell: each => link(to(each.run_id, 'answers', [each.id]), 'answers →'),
  },
]
