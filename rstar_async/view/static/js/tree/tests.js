// The tests of a programming problem, each with its verdict on the program of one node.

import {chip, h} from '../dom.js'
import {plural} from '../format.js'

// The store's word for a verdict → what people read, and its tone.
const VERDICTS = {
  right: ['right', 'good'],
  wrong: ['wrong', 'bad'],
  broken: ['undecided', 'plain'],
  unknown: ['not told', 'plain'],
}
const BROKEN = 'the test itself cannot run here, so it says nothing of the program'
const HIDDEN = 'They judge programs; no model and no search at test time is shown them.'
const SHOWN = 'The description shows them.'
const HEAD = /^TestsFailed: (\d+) of (\d+) pass/
const LINE = /^test (\d+) (wrong|broken): (.*)$/

/** The tests that an answer in the stored form holds; null if it is an answer of another kind.
 * `shown` are those that the description has. */
export function testsIn(answer) {
  try {
    const {entry_point: name, tests, public: shown = []} = JSON.parse(answer)
    return name && Array.isArray(tests) ? {name, tests, shown} : null
  } catch {
    return null
  }
}

/** A known answer, or that of a model, in a few words: both can be whole sources. */
export function inShort(answer) {
  const found = testsIn(answer)
  if (found) return `${plural(found.tests.length, 'test')} of ${found.name}`
  return isProgram(answer) ? `a program of ${answer.split('\n').length} lines` : answer
}

export const isProgram = answer => answer.includes('\n')

/** What is known of each test, by its number from 1: `{verdict, reason}`. */
export function verdictsOn(node, count) {
  const [head, ...lines] = node.exec_error.split('\n')
  const [, passed, all] = HEAD.exec(head) ?? []
  const failed = lines.map(line => LINE.exec(line)).filter(Boolean)
  const complete = node.correct || failed.length === all - passed
  const found = new Map(failed.map(([, n, verdict, reason]) => [Number(n), {verdict, reason}]))
  const other = {verdict: complete ? 'right' : 'unknown', reason: ''}
  return Array.from({length: count}, (_, i) => found.get(i + 1) ?? other)
}

/** The tests of the problem with their verdicts on the program that ends at `node`. */
export function testList(node, found) {
  const verdicts = verdictsOn(node, found.tests.length)
  const passed = verdicts.filter(one => one.verdict === 'right').length
  const undecided = verdicts.filter(one => one.verdict === 'broken').length
  const more = undecided ? `, ${undecided} undecided` : ''
  return [
    h('h4', {}, `${passed} of ${found.tests.length} ${kind(found)} of ${found.name} pass${more}`),
    h('ol.tests', {}, found.tests.map((test, i) => row(test, verdicts[i]))),
  ]
}

/** The tests alone, where there is no program yet. */
export const bareTests = found => [
  h('h4', {}, `${found.tests.length} ${kind(found)} of ${found.name}`),
  h('ol.tests', {}, found.tests.map(test => h('li', {}, h('code', {}, test)))),
  h('p.dim', {}, isHidden(found) ? HIDDEN : SHOWN),
]

/** A test that the description shows as well is no secret. */
const isHidden = ({tests, shown}) => !tests.every(test => shown.includes(test))
const kind = found => (isHidden(found) ? 'hidden tests' : 'tests')

function row(test, {verdict, reason}) {
  const [word, tone] = VERDICTS[verdict]
  return h(
    'li',
    {},
    chip(word, tone, verdict === 'broken' ? BROKEN : null),
    h('code', {}, test),
    reason && h('span.dim', {}, reason),
  )
}
