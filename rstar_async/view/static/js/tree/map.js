// The tree as a drawing: a canvas, of which only what is on screen is painted. It never changes the
// tree; it tells what was clicked.

import {h} from '../dom.js'
import {q, signed} from '../format.js'
import {Camera} from './camera.js'
import {BOX, boxWidth, layout} from './layout.js'
import {MiniMap} from './minimap.js'
import {WORDS} from './model.js'
import {palette, paintBox, paintEdges} from './paint.js'

const READABLE = 0.8
const LEAST_LOOK = 0.5
const MARGIN = 24

export class TreeMap {
  /** `chosen(node)` on a click; `folded(node)` on a click beside a node's end. */
  constructor({tree, state, chosen, folded, signal}) {
    Object.assign(this, {tree, state, chosen, folded, frame: 0, width: BOX.width})
    this.canvas = h('canvas.map', {role: 'img', tabindex: '0', 'aria-label': 'search tree'})
    this.minimap = new MiniMap({tree, chosen})
    this.element = h('div.map-frame', {}, this.canvas, legend(), this.minimap.element)
    this.camera = new Camera(this.canvas, {
      moved: () => this.redraw(),
      clicked: point => this.#click(point),
    })
    const observer = new ResizeObserver(() => this.#resized())
    observer.observe(this.element)
    signal.addEventListener('abort', () => observer.disconnect())
    window.addEventListener('theme', () => this.redraw(), {signal})
    this.rearrange()
  }

  /** Nodes came, or were folded or unfolded. */
  rearrange() {
    this.drawing = layout(this.tree, this.width)
    this.places = new Map(this.drawing.placed.map(each => [each.node.path, each]))
    this.redraw()
  }

  redraw() {
    this.frame ||= requestAnimationFrame(() => this.#paint())
  }

  fit() {
    this.camera.fit(this.drawing)
  }

  zoom(factor) {
    this.camera.zoom(factor)
  }

  /** Bring a node onto the screen. */
  show(node) {
    const place = this.places.get(node.path)
    if (place) this.camera.include({...place, height: BOX.height})
  }

  /** The first look: the whole tree if it can be read so, else the way from its root to its best
      answer, both on screen, in narrower boxes if it is long. */
  firstLook() {
    const {width} = this.camera.size
    if (!width || !this.tree.size) return
    this.camera.fit(this.drawing)
    if (this.camera.scale >= READABLE) return
    const best = this.tree.bestAnswer()
    this.tree.foldAround(best)
    this.width = boxWidth(best.depth + 1, (width - 2 * MARGIN) / READABLE)
    this.rearrange()
    this.camera.fit({width: this.drawing.width, height: 1}, LEAST_LOOK)
    const [top, bottom] = [this.places.get('0').y, this.places.get(best.path).y].sort((a, b) => a - b)
    this.camera.centre((top + bottom + BOX.height) / 2)
    this.best = best.path
  }

  #resized() {
    const {clientWidth: width, clientHeight: height} = this.element
    if (!width || !height) return
    const dense = window.devicePixelRatio || 1
    Object.assign(this.canvas, {width: width * dense, height: height * dense})
    const first = !this.sized
    this.sized = true
    if (first) this.firstLook()
    if (first && this.state.selected !== '0') this.show({path: this.state.selected})
    this.redraw()
  }

  #paint() {
    this.frame = 0
    const begun = performance.now()
    const dense = window.devicePixelRatio || 1
    const pen = this.canvas.getContext('2d')
    const {x, y, scale, scaleX, size} = this.camera
    pen.setTransform(dense, 0, 0, dense, 0, 0)
    pen.clearRect(0, 0, size.width, size.height)
    pen.setTransform(dense * scaleX, 0, 0, dense * scale, dense * x, dense * y)
    const colours = palette(this.canvas)
    const seen = this.#onScreen()
    paintEdges(pen, this.drawing.placed, this.#view(), this.state, colours, scale)
    for (const place of seen) paintBox(pen, place, this.#look(place.node, scale), colours)
    this.minimap.paint(seen, colours)
    this.canvas.dataset.scale = scale.toFixed(2)
    if (this.best) this.#sayWhatIsSeen(seen)
    this.canvas.dataset.drawn = seen.length
    this.canvas.dataset.visible = this.drawing.placed.length
    this.canvas.dataset.milliseconds = (performance.now() - begun).toFixed(1)
  }

  #sayWhatIsSeen(seen) {
    const paths = new Set(seen.map(({node}) => node.path))
    const both = paths.has('0') && paths.has(this.best)
    this.canvas.dataset.look = both ? 'root and best answer' : 'a part'
  }

  #view() {
    const [from, to] = [
      this.camera.at(0, 0),
      this.camera.at(this.camera.size.width, this.camera.size.height),
    ]
    return {left: from.x, top: from.y, right: to.x, bottom: to.y}
  }

  #onScreen() {
    const {left, top, right, bottom} = this.#view()
    return this.drawing.placed.filter(
      ({x, y, width}) => x < right && x + width + 40 > left && y < bottom && y + BOX.height > top,
    )
  }

  #look(node, scale) {
    const {selected, matches, cursor} = this.state
    const hidden =
      node.children.length - (this.tree.isFolded(node) ? 0 : this.tree.shownChildren(node).length)
    return {
      scale,
      hidden,
      selected: node.path === selected,
      match: matches.has(node.path),
      cursor: cursor !== '' && node.path === cursor,
      shortFigures: `N ${node.visits} Q ${signed(q(node))}`,
      figures: `N ${node.visits}   Q ${signed(q(node))}${node.prior === null ? '' : `   PPM ${signed(node.prior)}`}`,
    }
  }

  #click(point) {
    const hit = this.drawing.placed.find(
      ({x, y, width}) =>
        point.x >= x && point.x <= x + width + 30 && point.y >= y && point.y <= y + BOX.height,
    )
    if (!hit) return
    if (point.x > hit.x + hit.width - 4 && hit.node.children.length) this.folded(hit.node)
    else this.chosen(hit.node)
  }
}

const legend = () =>
  h(
    'div.map-legend',
    {'aria-hidden': 'true'},
    ['live', 'good', 'bad', 'unsure', 'error', 'spent'].map(tone =>
      h(`span.${tone}`, {}, h('i'), WORDS[tone]),
    ),
  )
