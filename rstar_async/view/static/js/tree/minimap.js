// The whole tree in a corner, whatever is folded: a dot for each step in the colour of its outcome, and
// a frame around those on screen. A click goes to the step that is nearest.

import {h} from '../dom.js'
import {layout} from './layout.js'
import {tone} from './model.js'

const WIDTH = 190
const HEIGHT = 120
const MARGIN = 6
const LEAST = 12

export class MiniMap {
  constructor({tree, chosen}) {
    Object.assign(this, {tree, chosen, size: 0})
    this.element = h('canvas.minimap', {
      role: 'img',
      'aria-label': 'the whole tree',
      title: 'the whole tree; a click goes to the step there',
      onclick: event => this.#click(event),
    })
  }

  /** `seen`: the placements that the large drawing shows. */
  paint(seen, colours) {
    this.element.hidden = this.tree.size < LEAST
    if (this.element.hidden) return
    if (this.size !== this.tree.size || this.visitedOnly !== this.tree.visitedOnly) this.#arrange()
    const dense = window.devicePixelRatio || 1
    Object.assign(this.element, {width: WIDTH * dense, height: HEIGHT * dense})
    const pen = this.element.getContext('2d')
    pen.scale(dense, dense)
    for (const {x, y, node} of this.dots) {
      pen.globalAlpha = node.visits ? 1 : 0.45
      pen.fillStyle = colours[tone(node)]
      pen.fillRect(x - 1, y - 1, this.dot, this.dot)
    }
    pen.globalAlpha = 1
    this.#frame(pen, seen, colours)
  }

  #arrange() {
    const {placed, width, height} = layout(this.tree, undefined, () => true)
    const across = (WIDTH - 2 * MARGIN) / Math.max(1, width)
    const down = (HEIGHT - 2 * MARGIN) / Math.max(1, height)
    this.dots = placed.map(({node, x, y}) => ({node, x: MARGIN + x * across, y: MARGIN + y * down}))
    this.places = new Map(this.dots.map(dot => [dot.node.path, dot]))
    this.dot = placed.length > 2000 ? 1.5 : 3
    this.size = this.tree.size
    this.visitedOnly = this.tree.visitedOnly
  }

  #frame(pen, seen, colours) {
    const dots = seen.map(({node}) => this.places.get(node.path)).filter(Boolean)
    if (!dots.length) return
    const [left, top] = [least(dots, 'x'), least(dots, 'y')]
    Object.assign(pen, {strokeStyle: colours.accent, lineWidth: 1})
    pen.strokeRect(left - 3.5, top - 3.5, most(dots, 'x') - left + 7, most(dots, 'y') - top + 7)
  }

  #click(event) {
    const far = ({x, y}) => Math.hypot(x - event.offsetX, y - event.offsetY)
    const nearest = this.dots.reduce((a, b) => (far(b) < far(a) ? b : a))
    this.chosen(nearest.node)
  }
}

const least = (dots, axis) => dots.reduce((value, dot) => Math.min(value, dot[axis]), Infinity)
const most = (dots, axis) => dots.reduce((value, dot) => Math.max(value, dot[axis]), -Infinity)
