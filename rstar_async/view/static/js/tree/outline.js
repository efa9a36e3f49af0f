// The tree as lines of text. Only the lines on screen are in the document, however many there are.

import {h, put} from '../dom.js'
import {count, q, signed} from '../format.js'
import {tone, WORDS} from './model.js'

const LINE = 30
const MORE = 8

export class TreeOutline {
  constructor({tree, state, chosen, folded}) {
    Object.assign(this, {tree, state, chosen, folded, frame: 0})
    this.lines = h('div.lines', {})
    this.element = h(
      'div.outline',
      {role: 'tree', tabindex: '0', 'aria-label': 'search tree', onscroll: () => this.redraw()},
      this.lines,
    )
    new ResizeObserver(() => this.redraw()).observe(this.element)
    this.rearrange()
  }

  rearrange() {
    this.rows = this.tree.visible()
    this.places = new Map(this.rows.map((node, i) => [node.path, i]))
    this.lines.style.setProperty('height', `${LINE * this.rows.length}px`)
    this.redraw()
  }

  redraw() {
    this.frame ||= requestAnimationFrame(() => this.#paint())
  }

  /** The first look: the way to the best answer, if not all lines can be seen. */
  firstLook() {
    if (!this.tree.size || LINE * this.rows.length <= this.element.clientHeight) return
    this.tree.foldAround(this.tree.bestAnswer())
    this.rearrange()
  }

  fit() {
    this.element.scrollTo({top: 0})
  }

  zoom() {}

  show(node) {
    const top = LINE * (this.places.get(node.path) ?? 0)
    const {scrollTop, clientHeight} = this.element
    if (top < scrollTop + LINE) this.element.scrollTo({top: top - 2 * LINE})
    else if (top > scrollTop + clientHeight - 2 * LINE)
      this.element.scrollTo({top: top - clientHeight + 3 * LINE})
  }

  #paint() {
    this.frame = 0
    const first = Math.max(0, Math.floor(this.element.scrollTop / LINE) - MORE)
    const last = Math.ceil((this.element.scrollTop + this.element.clientHeight) / LINE) + MORE
    put(
      this.lines,
      this.rows.slice(first, last).map((node, i) => this.#line(node, first + i)),
    )
  }

  #line(node, index) {
    const folded = this.tree.isFolded(node)
    const many = this.tree.shownChildren(node).length
    const selected = node.path === this.state.selected
    const look = [
      tone(node),
      selected && 'selected',
      this.state.matches.has(node.path) && 'match',
      !node.visits && 'unvisited',
    ]
    return h(
      ['div.line', ...look.filter(Boolean)].join('.'),
      {
        role: 'treeitem',
        'aria-level': node.depth + 1,
        'aria-selected': String(selected),
        'data-path': node.path,
        'aria-expanded': many ? String(!folded) : null,
        title: `${node.path}: ${WORDS[tone(node)]}`,
        vars: {'--top': `${LINE * index}px`, '--depth': node.depth},
        onclick: () => this.chosen(node),
      },
      h(
        'button.caret',
        {
          type: 'button',
          tabindex: '-1',
          'aria-hidden': 'true',
          disabled: !many,
          onclick: event => {
            event.stopPropagation()
            this.folded(node)
          },
        },
        many ? (folded ? '▸' : '▾') : '',
      ),
      h('i.dot'),
      h('span.words', {}, node.title, folded && many > 0 && h('small', {}, ` +${count(many)}`)),
      h('span.figure', {}, `N ${count(node.visits)}`),
      h('span.figure.q', {}, `Q ${signed(q(node))}`),
      h('span.figure.ppm', {}, node.prior === null ? '' : `P ${signed(node.prior)}`),
    )
  }
}
