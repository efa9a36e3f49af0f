// What became of the steps of a round: nodes by outcome, and the errors of their code by kind.

import {ask} from '../api.js'
import {empty, h, put, select} from '../dom.js'
import {count, percent} from '../format.js'
import {go, to} from '../router.js'
import {table} from '../table.js'

const OUTCOMES = {
  __proto__: null,
  live: 'ran, and may be continued',
  answer: 'ended with an answer',
  code_error: 'its code failed',
  too_deep: 'as many steps as search.max_depth allows, without an answer',
  too_long: 'does not fit into the context of the models',
  unfinished: 'as many tokens as search.max_tokens allows, without an end',
  malformed: 'not in the format of a step',
}

export async function show(root, {run, query, signal, mount}) {
  const {rounds} = await ask(['runs', run], {}, signal)
  const searched = rounds.filter(each => each.train)
  const title = h(
    'div.title',
    {},
    h('h1', {}, 'Errors'),
    h('p', {}, 'What became of the steps of the training searches.'),
  )
  if (!searched.length) return put(root, title, empty('No round has been searched yet.'))
  const round = query.round ?? String(searched.at(-1).round.number)
  const body = h('section.cards', {}, empty('Counting the nodes of this round …'))
  const numbers = searched.map(each => [String(each.round.number), String(each.round.number)])
  const turn = value => go(to(run, 'errors', [], {round: value}))
  put(root, title, h('div.filters', {}, select('round', round, numbers, turn)), body)
  mount()
  const found = await ask(['runs', run, 'rounds', round, 'outcomes'], {}, signal)
  put(body, card('Steps by outcome', 'Outcome', found.nodes, OUTCOMES), failures(found.errors))
}

const failures = errors =>
  Object.keys(errors).length
    ? card('Failed code by error', 'Error', errors)
    : h('section.card', {}, h('h2', {}, 'Failed code by error'), empty('No code has failed.'))

function card(title, name, counts, meanings = {__proto__: null}) {
  const rows = Object.entries(counts).sort(([, a], [, b]) => b - a)
  const all = rows.reduce((sum, [, number]) => sum + number, 0)
  const columns = [
    {name, value: ([kind]) => kind, cell: ([kind]) => h('code', {}, kind)},
    {
      name: 'Steps',
      about: 'different steps; the same text sampled twice is one',
      number: true,
      value: ([, number]) => number,
      cell: ([, number]) => count(number),
    },
    {
      name: 'Share',
      about: `of ${count(all)}`,
      number: true,
      value: ([, number]) => number / all,
      cell: ([, number]) => percent(number / all),
    },
    {
      name: 'Meaning',
      value: ([kind]) => meanings[kind] ?? '',
      cell: ([kind]) => h('span.dim', {}, meanings[kind] ?? ''),
    },
  ]
  const shown = name === 'Outcome' ? columns : columns.slice(0, -1)
  return h('section.card', {}, h('h2', {}, title), table(title, shown, rows))
}
