// The head of a tree: the problem, the state of its search, and its searches in other rounds.

import {chip, h, link} from '../dom.js'
import {count, duration, short, when} from '../format.js'
import {to} from '../router.js'
import {square} from '../parts.js'
import {testsIn} from './tests.js'

export const live = search => search.status === 'running' || search.status === 'waiting'

// At test time without a PPM, for instance.
const UNVISITED =
  'N is 0 and Q is – everywhere: no value was known when answers were found, so no rollout was backed up.'

/** `size`: how many nodes are loaded; `root`: the root, once it is. */
export function searchHead(run, found, size, root) {
  const {search, problem, others} = found
  const unvisited = search.rollouts > 0 && root?.visits === 0
  const pairs = to(run, 'pairs', [], {round: search.round, search: search.id})
  return [
    h(
      'p.way-back',
      {},
      link(
        to(run, 'problems', [], {round: search.round, purpose: search.purpose}),
        `round ${search.round}`,
      ),
      ` · ${search.purpose} · ${problem.kind}`,
      problem.level && ` · level ${problem.level}`,
    ),
    h('h1', {}, problem.question),
    h(
      'div.facts-line',
      {},
      chip(statusText(search), tone(search)),
      search.pruned_at &&
        chip('pruned', 'plain', `words of steps that taught nothing went ${when(search.pruned_at)}`),
      !testsIn(problem.answer) && h('span', {}, 'answer ', h('b', {}, problem.answer)),
      facts(found, size).map(([value, name]) => h('span', {}, h('b', {}, value), ' ', name)),
      search.failure === '' && unvisited && h('span.dim', {title: UNVISITED}, UNVISITED),
      search.purpose === 'train' && link(pairs, 'pairs'),
      others.length > 1 &&
        h(
          'span.squares',
          {title: 'this problem in other rounds'},
          others.map(each => square(each, run, search.id)),
        ),
    ),
    search.failure && h('pre.failure', {}, search.failure),
  ]
}

function facts({search, nodes, tokens, first_right: first}, size) {
  return [
    counted(size || nodes, 'node'),
    counted(search.rollouts, 'rollout'),
    counted(search.expansions, 'expansion'),
    [short(tokens), tokens === 1 ? 'token' : 'tokens'],
    [duration(search.seconds), ''],
    first && [count(first), `${first === 1 ? 'expansion' : 'expansions'} to the first right answer`],
  ].filter(Boolean)
}

const counted = (value, noun) => [count(value), value === 1 ? noun : `${noun}s`]

function statusText(search) {
  if (search.status !== 'finished') return search.status
  return search.solved ? 'solved' : 'unsolved'
}

function tone(search) {
  if (search.solved) return 'good'
  if (live(search)) return 'busy'
  return search.status === 'finished' ? 'bad' : 'error'
}
