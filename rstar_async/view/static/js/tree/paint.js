// Painting one box and all edges. Detail follows the zoom: far away a box is a bar of its colour.

import {BOX} from './layout.js'
import {tone} from './model.js'

const TEXT_SCALE = 0.42
// Boxes that are narrower have no room for what the PPM said.
const FULL_FIGURES = 170
const NAMES = [
  'surface',
  'ink',
  'dim',
  'line',
  'accent',
  'match',
  'good',
  'bad',
  'unsure',
  'error',
  'spent',
  'live',
  'root',
]

/** The theme's colours, as the style sheet has them now. */
export function palette(element) {
  const style = getComputedStyle(element)
  return Object.fromEntries(NAMES.map(name => [name, style.getPropertyValue(`--${name}`).trim()]))
}

/** All lines from parents to children that may touch the view; the way to the selected one stands out. */
export function paintEdges(pen, placed, view, state, colours, scale) {
  const onWay = path => state.selected === path || state.selected.startsWith(`${path}.`)
  const way = []
  pen.beginPath()
  for (const place of placed) {
    if (!place.parent || !touches(place, view)) continue
    if (onWay(place.node.path)) way.push(place)
    else trace(pen, place, scale)
  }
  stroke(pen, colours.line, Math.max(0.6, 1.2 * scale))
  pen.beginPath()
  for (const place of way) trace(pen, place, scale)
  stroke(pen, colours.accent, Math.max(1.2, 2 * scale))
}

function touches({x, y, parent}, {left, top, right, bottom}) {
  return (
    parent.x + parent.width < right &&
    x > left &&
    Math.min(y, parent.y) < bottom &&
    Math.max(y, parent.y) + BOX.height > top
  )
}

/** Stroke the path with a width in pixels of the screen, however the drawing is stretched. */
function stroke(pen, colour, width) {
  const dense = window.devicePixelRatio || 1
  pen.save()
  pen.setTransform(dense, 0, 0, dense, 0, 0)
  Object.assign(pen, {strokeStyle: colour, lineWidth: width})
  pen.stroke()
  pen.restore()
}

function trace(pen, {x, y, parent}, scale) {
  const [fromX, fromY, toY] = [parent.x + parent.width, parent.y + BOX.height / 2, y + BOX.height / 2]
  const middle = (fromX + x) / 2
  pen.moveTo(fromX, fromY)
  if (scale < 0.2) pen.lineTo(x, toY)
  else pen.bezierCurveTo(middle, fromY, middle, toY, x, toY)
}

export function paintBox(pen, place, look, colours) {
  const {node} = place
  const colour = colours[tone(node)]
  pen.globalAlpha = node.visits || look.selected || look.match ? 1 : 0.62
  if (look.scale < TEXT_SCALE) paintBar(pen, place, colour, look.scale)
  else paintCard(pen, place, look, colour, colours)
  pen.globalAlpha = 1
  if (look.selected || look.match || look.cursor) paintRing(pen, place, look, colours)
  if (look.hidden) paintHidden(pen, place, look, colours)
}

function paintBar(pen, {x, y, width}, colour, scale) {
  const height = Math.max(BOX.height - 8, 1 / scale)
  pen.fillStyle = colour
  pen.fillRect(x, y + (BOX.height - height) / 2, width, height)
}

function paintCard(pen, {node, x, y, width}, look, colour, colours) {
  box(pen, {x, y, width}, 0)
  pen.fillStyle = colours.surface
  pen.fill()
  stroke(pen, colours.line, Math.max(0.6, look.scale))
  pen.fillStyle = colour
  pen.beginPath()
  pen.roundRect(x, y, 5, BOX.height, [6, 0, 0, 6])
  pen.fill()
  paintQ(pen, {node, x, y, width}, colours)
  pen.fillStyle = colours.ink
  pen.font = '12px system-ui, sans-serif'
  pen.fillText(clipped(pen, node, width - 18), x + 10, y + 15)
  pen.fillStyle = colours.dim
  pen.font = '10.5px ui-monospace, Menlo, Consolas, monospace'
  pen.fillText(width < FULL_FIGURES ? look.shortFigures : look.figures, x + 10, y + 29)
}

/** Q as a bar along the lower edge: from the middle to the right if good, to the left if bad. */
function paintQ(pen, {node, x, y, width}, colours) {
  if (!node.visits) return
  const value = Math.max(-1, Math.min(1, node.value_sum / node.visits))
  const half = (width - 18) / 2
  pen.fillStyle = value < 0 ? colours.bad : colours.good
  pen.fillRect(
    x + 11 + half + Math.min(0, value * half),
    y + BOX.height - 3.5,
    Math.abs(value) * half,
    2,
  )
}

function paintRing(pen, place, look, colours) {
  box(pen, place, 1)
  pen.setLineDash(look.cursor && !look.selected ? [6, 5] : [])
  stroke(pen, look.match && !look.selected ? colours.match : colours.accent, 2)
  pen.setLineDash([])
}

function paintHidden(pen, {x, y, width}, look, colours) {
  if (look.scale < TEXT_SCALE) {
    pen.fillStyle = colours.dim
    return pen.fillRect(x + width + 4, y + BOX.height / 2 - 2, 12, 4)
  }
  pen.fillStyle = colours.dim
  pen.font = '11px ui-monospace, Menlo, Consolas, monospace'
  pen.fillText(`+${look.hidden}`, x + width + 4, y + BOX.height / 2 + 4)
}

function box(pen, {x, y, width}, around) {
  pen.beginPath()
  pen.roundRect(x - around, y - around, width + 2 * around, BOX.height + 2 * around, 6)
}

/** The title, shortened to the room; measured once for each width. */
function clipped(pen, node, room) {
  if (node.clipped?.room !== room) node.clipped = {room, text: shorten(pen, room < FULL_FIGURES - 18 && node.answer ? `= ${node.answer}` : node.title, room)}
  return node.clipped.text
}

function shorten(pen, text, width) {
  const whole = pen.measureText(text).width
  return whole <= width
    ? text
    : `${text.slice(0, Math.floor((text.length * width) / whole) - 1).trimEnd()}…`
}
