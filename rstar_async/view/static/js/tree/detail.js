// Details of one node: the step, the output of its code, figures, the path to it, its siblings.

import {ask} from '../api.js'
import {chip, empty, h, link, put} from '../dom.js'
import {count, duration, plural, q, short, signed, when} from '../format.js'
import {bare, code} from '../highlight.js'
import {to} from '../router.js'
import {tone, WORDS} from './model.js'
import {bareTests, testList, testsIn} from './tests.js'

export const TABS = [
  ['step', 'Step'],
  ['way', 'Whole way'],
  ['siblings', 'Siblings'],
]
const SIBLINGS = 24

/** Fill `element` with the node at `path`. */
export async function showDetail(element, {search, problem}, path, tab, choose, signal) {
  const {node, way} = await ask(['searches', search.id, 'nodes', path], {}, signal)
  const bodies = {
    __proto__: null,
    way: () => wholeWay(way, problem),
    siblings: () => siblings(search, node, choose, signal),
    step: () => step(node, problem, search),
  }
  const body = await (bodies[tab] ?? bodies.step)()
  const parts = [breadcrumbs(node, choose), figures(node), body]
  if (!signal.aborted) put(element, parts)
}

function breadcrumbs(node, choose) {
  const parts = node.path.split('.')
  const crumb = (part, i) => {
    const path = parts.slice(0, i + 1).join('.')
    return h(
      'button',
      {
        type: 'button',
        title: path,
        'aria-current': path === node.path ? 'true' : null,
        onclick: () => choose(path),
      },
      i ? part : 'root',
    )
  }
  return h(
    'div.crumbs',
    {},
    chip(WORDS[tone(node)] ?? node.status, tone(node)),
    h('span.path', {}, parts.map(crumb)),
  )
}

/** What N and Q say of a step that no rollout went through. */
const NOT_VISITED =
  'No rollout has been backed up through this step: N is 0, and there is no mean value Q yet.'

function figures(node) {
  const big = (name, value, title) => h('div', {title}, h('dt', {}, name), h('dd', {}, value))
  return [
    h(
      'dl.figures',
      {},
      big('N', count(node.visits), 'visits: how many rollouts were backed up through this step'),
      big('Q', signed(q(node)), 'mean value of these rollouts, from −1 to +1: W / N'),
      big('PPM', signed(node.prior), 'value that the tree made of the PPM’s output; – without a PPM'),
      big('raw', signed(node.score), 'what the PPM said; – without a PPM'),
      big('×', count(node.multiplicity), 'samples with this very text'),
    ),
    node.visits === 0 && node.depth > 0 && h('p.dim', {}, NOT_VISITED),
  ]
}

function step(node, problem, search) {
  const tests = testsIn(problem.answer)
  if (node.status === 'root')
    return [
      h('p.question', {}, problem.question),
      tests ? bareTests(tests) : facts([['known answer', problem.answer]]),
    ]
  return [
    code(bare(node.text), {label: 'step'}),
    output(node),
    node.answer && tests ? testList(node, tests) : [error(node), answer(node, problem)],
    cutNote(node),
    facts(nodeFacts(node, search)),
  ]
}

const answer = (node, problem) =>
  node.answer &&
  h('p', {}, 'Answer ', h('b', {}, node.answer), ' · known answer ', h('b', {}, problem.answer))
const output = node =>
  node.stdout && [h('h4', {}, 'Printed'), code(node.stdout, {plain: true, label: 'output'})]
const error = node =>
  node.exec_error && [h('h4', {}, 'Error'), h('pre.code.failure', {}, node.exec_error)]
const cutNote = node =>
  node.cut.length > 0 &&
  h('p.dim', {}, `Shortened here: ${node.cut.join(', ')}. The store has all of it.`)

function nodeFacts(node, search) {
  const version = id => id && link(to(search.run_id, 'models', [id]), h('code', {}, id))
  return [
    ['tokens', `${count(node.tokens)} sampled, ${count(node.observation_tokens)} of output`],
    ['ended by', node.finish],
    ['made by expansion', count(node.expansion)],
    [
      'code',
      node.exec_status &&
        `${node.exec_status} · ${duration(node.cpu_seconds)} CPU · ${short(node.peak_mib)} MiB · ${plural(node.reused_steps, 'step')} reused`,
    ],
    ['policy', version(node.policy_id)],
    ['PPM', version(node.ppm_id)],
    ['seed', node.seed],
    ['stored', when(node.created_at)],
  ]
}

const facts = pairs =>
  h(
    'dl.facts',
    {},
    pairs
      .filter(([, value]) => value !== '' && value !== null && value !== undefined)
      .map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]),
  )

/** The program from the question down to the node, one block for each step. */
export function wholeWay(way, problem) {
  const block = node =>
    h(
      `section.block.${tone(node)}`,
      {},
      h(
        'small',
        {},
        `${node.path} · N ${count(node.visits)} · Q ${signed(q(node))}${node.prior === null ? '' : ` · PPM ${signed(node.prior)}`}`,
      ),
      code(bare(node.text), {label: `step ${node.path}`}),
      node.stdout && code(node.stdout, {plain: true, label: 'output'}),
      node.exec_error && h('pre.code.failure', {}, node.exec_error),
    )
  return [
    problem && h('p.question', {}, problem.question),
    way.filter(node => node.depth > 0).map(block),
  ]
}

async function siblings(search, node, choose, signal) {
  const parent = node.path.slice(0, node.path.lastIndexOf('.'))
  if (!parent) return empty('The root has no siblings.')
  const {steps} = await ask(
    ['searches', search.id, 'nodes', parent, 'children'],
    {limit: SIBLINGS},
    signal,
  )
  const best = steps.toSorted((a, b) => (q(b) ?? -9) - (q(a) ?? -9))
  return h(
    'div.siblings',
    {},
    best.map(each => sibling(each, node, choose)),
  )
}

function sibling(each, node, choose) {
  return h(
    `section.block.${tone(each)}`,
    {'aria-current': each.path === node.path ? 'true' : null},
    h(
      'button.plain',
      {type: 'button', onclick: () => choose(each.path)},
      h('b', {}, each.path),
      ` N ${count(each.visits)} · Q ${signed(q(each))} · PPM ${signed(each.prior)} · ×${count(each.multiplicity)}`,
    ),
    code(bare(each.text), {label: `step ${each.path}`}),
    each.stdout && code(each.stdout, {plain: true, label: 'output'}),
    each.exec_error && h('pre.code.failure', {}, each.exec_error),
  )
}
