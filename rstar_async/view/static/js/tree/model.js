// One search tree as the page knows it: nodes by path, which are folded, which are visible. Pure.

import {headline} from '../highlight.js'
import {isProgram} from './tests.js'

const ROOMY = 140
const LARGE = 150

export class Tree {
  constructor() {
    this.nodes = new Map()
    this.folded = new Set()
    this.visitedOnly = false
    this.lastExpansion = -1
  }

  get size() {
    return this.nodes.size
  }

  /** Take in nodes of a page; known ones stay. Returns how many are new. */
  add(page) {
    const before = this.size
    const touched = new Set()
    for (const data of page) if (!this.nodes.has(data.path)) touched.add(this.#insert(data))
    for (const parent of touched) parent?.children.sort((a, b) => a.place - b.place)
    return this.size - before
  }

  #insert(data) {
    const cut = data.path.lastIndexOf('.')
    const parent = cut < 0 ? null : this.nodes.get(data.path.slice(0, cut))
    const place = Number(data.path.slice(cut + 1))
    const node = {
      ...data,
      parent,
      place,
      depth: parent ? parent.depth + 1 : 0,
      children: [],
      title: title(data),
    }
    this.nodes.set(data.path, node)
    parent?.children.push(node)
    this.lastExpansion = Math.max(this.lastExpansion, data.expansion)
    return parent
  }

  /** New N and W of visited nodes: [[path, N, W], …]. */
  update(statistics) {
    for (const [path, visits, value] of statistics) {
      const node = this.nodes.get(path)
      if (node) [node.visits, node.value_sum] = [visits, value]
    }
  }

  /** Children that are not hidden by the filter. */
  shownChildren(node) {
    return this.visitedOnly ? node.children.filter(child => child.visits > 0) : node.children
  }

  isFolded(node) {
    return this.folded.has(node.path)
  }

  /** Visible nodes from top to bottom, each before its children. */
  visible() {
    const rows = []
    const walk = node => {
      rows.push(node)
      if (!this.isFolded(node)) for (const child of this.shownChildren(node)) walk(child)
    }
    const root = this.nodes.get('0')
    if (root) walk(root)
    return rows
  }

  toggle(node) {
    if (!this.folded.delete(node.path) && node.children.length) this.folded.add(node.path)
  }

  unfoldAll() {
    this.folded.clear()
  }

  /** Fold everything from `depth` on. */
  foldFrom(depth) {
    this.folded.clear()
    for (const node of this.nodes.values())
      if (node.depth >= depth && node.children.length) this.folded.add(node.path)
  }

  /** Fold a large tree, and of a very large one show only visited nodes. */
  foldToLook() {
    const byDepth = []
    this.visitedOnly = this.size > LARGE && this.nodes.get('0')?.visits > 0
    for (const node of this.nodes.values())
      if (node.visits || !this.visitedOnly) byDepth[node.depth] = (byDepth[node.depth] ?? 0) + 1
    let seen = 0
    const depth = byDepth.findIndex(count => (seen += count) > ROOMY)
    if (depth > 0) this.foldFrom(Math.max(1, depth - 1))
  }

  /** Make `node` visible. */
  reveal(node) {
    if (!node.visits) this.visitedOnly = false
    for (let up = node.parent; up; up = up.parent) this.folded.delete(up.path)
  }

  /** Show the way to `node` with what lies beside it, and fold the rest. */
  foldAround(node) {
    this.foldFrom(0)
    if (!node.visits) this.visitedOnly = false
    for (let up = node.parent; up; up = up.parent) this.folded.delete(up.path)
  }

  /** The best right answer; without one the best wrong answer, else the step most often visited. */
  bestAnswer() {
    const answers = [...this.nodes.values()].filter(node => node.status === 'answer')
    const wrong = () => answers.sort((a, b) => meanQ(b) - meanQ(a))[0]
    return this.rightAnswers()[0] ?? wrong() ?? this.#mostVisited()
  }

  #mostVisited() {
    let node = this.nodes.get('0')
    while (node?.children.some(child => child.visits))
      node = node.children.reduce((a, b) => (b.visits > a.visits ? b : a))
    return node
  }

  /** Right answers, by mean Q of the path to them. */
  rightAnswers() {
    const right = [...this.nodes.values()].filter(node => node.status === 'answer' && node.correct)
    return right.sort((a, b) => meanQ(b) - meanQ(a))
  }
}

/** Mean Q of the steps from the root to a node, the root left out. */
export function meanQ(node) {
  let [sum, steps] = [0, 0]
  for (let at = node; at?.parent; at = at.parent) {
    sum += at.visits ? at.value_sum / at.visits : 0
    steps += 1
  }
  return steps ? sum / steps : 0
}

/** The colour of a step's outcome. */
export function tone(node) {
  if (node.status === 'answer')
    return node.correct === null ? 'unsure' : node.correct ? 'good' : 'bad'
  return TONES[node.status] ?? 'live'
}

const TONES = {
  code_error: 'error',
  too_deep: 'spent',
  too_long: 'spent',
  unfinished: 'spent',
  malformed: 'spent',
  root: 'root',
}

export const WORDS = {
  good: 'answer verified',
  bad: 'wrong answer',
  unsure: 'undecided answer',
  error: 'code failed',
  spent: 'cut off',
  live: 'ran',
  root: 'question',
}

function title(data) {
  if (data.status === 'root') return 'the question'
  const said = headline(data.snippet)
  if (data.status === 'answer') return `answer: ${isProgram(data.answer) && said ? said : data.answer}`
  return said || data.status
}
