// The tests of a programming problem, each with its verdict on the program of one node.

import {h} from '../dom.js'

const MARKS = {right: '✓', wrong: '✗', broken: '?', unknown: '·'}
const HEAD = /^TestsFailed: (\d+) of (\d+) pass/
const LINE = /^test (\d+) (wrong|broken): (.*)$/

/** The tests that an answer in the stored form holds; null if it is an answer of another kind. */
export function testsIn(answer) {
  try {
    const {entry_point: name, tests} = JSON.parse(answer)
    return name && Array.isArray(tests) ? {name, tests} : null
  } catch {
    return null
  }
}

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
export function testList(node, {name, tests}) {
  const verdicts = verdictsOn(node, tests.length)
  const passed = verdicts.filter(one => one.verdict === 'right').length
  return [
    h('h4', {}, `${passed} of ${tests.length} tests of ${name} pass`),
    h('ol.tests', {}, tests.map((test, i) => row(test, verdicts[i]))),
  ]
}

/** The tests alone, where there is no program yet. */
export const bareTests = ({name, tests}) => [
  h('h4', {}, `${tests.length} hidden tests of ${name}`),
  h('ol.tests', {}, tests.map(test => h('li', {}, h('code', {}, test)))),
]

const row = (test, {verdict, reason}) =>
  h(
    `li.${verdict}`,
    {title: verdict},
    `${MARKS[verdict]} `,
    h('code', {}, test),
    reason && h('span.dim', {}, ` ${reason}`),
  )
