// Lanes under one axis of time, each a canvas. A drag chooses a part; the pointer says what is there.

import {h, put} from '../dom.js'
import {duration} from '../format.js'

const LOW = 20
const TALL = 64
const LEAST_DRAG = 6
const TONES = [
  'searching',
  'training',
  'measuring',
  'preparing',
  'generating',
  'executing',
  'scoring',
  'committing',
]

export class Lanes {
  /** `chosen(begin, end)` when a part was dragged over. */
  constructor(element, chosen, signal) {
    Object.assign(this, {element, chosen, drawn: []})
    this.band = h('div.lane-band', {hidden: true})
    this.told = h('p.lane-told', {'aria-live': 'polite'})
    const observer = new ResizeObserver(() => this.#redraw())
    observer.observe(element)
    signal.addEventListener('abort', () => observer.disconnect())
    window.addEventListener('theme', () => this.#redraw(), {signal})
  }

  paint(found, lanes) {
    this.found = found
    const words = this.told.textContent
    this.drawn = lanes.map(lane => ({lane, canvas: this.#canvas(lane)}))
    this.axis = h('div.lane-axis', {'aria-hidden': 'true'})
    this.body = h(
      'div.lane-body',
      {},
      this.drawn.map(({lane, canvas}) =>
        h('div.lane', {}, h('span.lane-name', {title: lane.about}, lane.name), canvas),
      ),
      h('div.lane', {}, h('span.lane-name'), this.axis),
      this.band,
    )
    put(this.element, legend(), this.body, this.told)
    this.told.textContent = words || 'Point at a lane to read it.'
    this.#redraw()
  }

  #canvas(lane) {
    const canvas = h(`canvas.lane-canvas${lane.tall ? '.tall' : ''}`, {
      role: 'img',
      'aria-label': `${lane.name}: ${lane.about}`,
    })
    canvas.addEventListener('pointerdown', event => this.#down(event, canvas))
    canvas.addEventListener('pointermove', event => this.#move(event, lane, canvas))
    canvas.addEventListener('pointerup', event => this.#up(event, canvas))
    canvas.addEventListener('pointercancel', () => this.#leave())
    return canvas
  }

  #down(event, canvas) {
    canvas.setPointerCapture(event.pointerId)
    this.from = event.offsetX
  }

  #move(event, lane, canvas) {
    const time = this.#timeAt(event.offsetX, canvas)
    this.told.textContent = `${lane.name}, ${this.#clock(time)}: ${describe(lane, time, this.found)}`
    if (this.from === undefined) return
    const [left, right] = [this.from, event.offsetX].sort((a, b) => a - b)
    this.band.hidden = right - left < LEAST_DRAG
    this.band.style.setProperty('--left', `${canvas.offsetLeft + Math.max(0, left)}px`)
    this.band.style.setProperty('--width', `${right - left}px`)
  }

  #up(event, canvas) {
    const {from} = this
    this.#leave()
    if (from === undefined || Math.abs(event.offsetX - from) < LEAST_DRAG) return
    const times = [from, event.offsetX].map(x => this.#timeAt(x, canvas)).sort((a, b) => a - b)
    this.chosen(...times.map(time => Number(time.toFixed(1))))
  }

  #leave() {
    this.from = undefined
    this.band.hidden = true
  }

  #timeAt(x, canvas) {
    const {begin, end} = this.found
    const share = Math.min(1, Math.max(0, x / canvas.clientWidth))
    return begin + share * (end - begin)
  }

  #clock(time) {
    return `${duration(time - this.found.first)} after the start`
  }

  #redraw() {
    if (!this.found) return
    const style = getComputedStyle(this.element)
    const colours = Object.fromEntries(
      TONES.map(tone => [tone, style.getPropertyValue(`--${tone}`).trim()]),
    )
    for (const {lane, canvas} of this.drawn) draw(lane, canvas, this.found, colours)
    put(this.axis, ticks(this.found))
  }
}

const legend = () =>
  h('div.legend.lane-legend', {}, TONES.map(tone => h(`span.key.${tone}`, {}, h('i'), tone)))

function draw(lane, canvas, found, colours) {
  const dense = window.devicePixelRatio || 1
  const [width, height] = [canvas.clientWidth, lane.tall ? TALL : LOW]
  if (!width) return
  Object.assign(canvas, {width: width * dense, height: height * dense})
  const pen = canvas.getContext('2d')
  pen.scale(dense, dense)
  if (lane.spans) drawSpans(lane, pen, found, colours, width, height)
  else drawLayers(lane, pen, found, colours, width, height)
}

function drawSpans({spans}, pen, {begin, end}, colours, width, height) {
  const x = time => (width * (time - begin)) / (end - begin)
  for (const span of spans) {
    pen.fillStyle = colours[span.tone]
    const left = Math.max(0, x(span.begin))
    pen.fillRect(left, 2, Math.max(1, Math.min(width, x(span.end)) - left), height - 4)
  }
}

function drawLayers({layers, top}, pen, {slices}, colours, width, height) {
  const step = width / slices
  for (let slice = 0; slice < slices; slice += 1) {
    let foot = height
    for (const {tone, values} of layers) {
      const tall = (height * (values[slice] ?? 0)) / top
      pen.fillStyle = colours[tone]
      pen.fillRect(slice * step, foot - tall, step + 0.3, tall)
      foot -= tall
    }
  }
}

/** What a lane did at a time. */
function describe({spans, layers, say}, time, {begin, end, slices}) {
  if (spans) return spans.findLast(span => span.begin <= time && time < span.end)?.words ?? 'waiting'
  const slice = Math.min(slices - 1, Math.floor((slices * (time - begin)) / (end - begin)))
  const known = layers.filter(({values}) => values[slice] !== null)
  if (!known.length) return 'not recorded'
  const parts = known.filter(({values}) => values[slice] > 0)
  return parts.map(({words, values}) => `${say(values[slice])} ${words}`).join(', ') || 'waiting'
}

/** Times after the start along the axis. */
function ticks({begin, end, first}) {
  const shares = [0, 0.25, 0.5, 0.75, 1]
  return shares.map(share => h('span', {}, duration(begin + share * (end - begin) - first)))
}
