// Small charts over rounds, as inline SVG: lines with intervals, and bars. Sized by their card.

import {h, svg} from './dom.js'

const WIDTH = 340
const HEIGHT = 168
const EDGE = {left: 40, right: 12, top: 10, bottom: 24}

/**
 * A card with a title, a legend and a plot. Each series: {name, tone, points: [{x, y, low, high}]}.
 * `bars` draws bars; `top` is the least upper end of the y axis; `format` formats a value.
 */
export function chart(title, series, {format, bars = false, top = 0} = {}) {
  const filled = series.filter(each => each.points.length)
  const plot = filled.length
    ? draw(title, filled, format, bars, top)
    : h('p.empty', {}, 'nothing measured yet')
  return h(
    'figure.card.chart',
    {},
    h('figcaption', {}, h('h3', {}, title), legend(filled, format)),
    plot,
  )
}

function legend(series, format) {
  const entry = ({name, tone, points}) =>
    h(`span.key.${tone}`, {}, h('i'), name && `${name} `, h('b', {}, format(points.at(-1).y)))
  return h('div.legend', {}, series.map(entry))
}

function draw(title, series, format, bars, top) {
  const points = series.flatMap(each => each.points)
  const xs = [...new Set(points.map(point => point.x))].sort((a, b) => a - b)
  const ticks = niceTicks(Math.max(top, ...points.map(point => point.high ?? point.y)))
  const scale = scales(xs, ticks.at(-1), bars)
  const marks = bars
    ? barMarks(series, scale, format)
    : series.map(each => lineMarks(each, scale, format))
  return svg(
    'svg',
    {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': title},
    ticks.map(tick => yTick(tick, scale, format)),
    xs.map(x => xTick(x, scale)),
    marks,
  )
}

function scales(xs, most, bars) {
  const inset = bars || xs.length === 1 ? 26 : 12
  const [first, last] = [EDGE.left + inset, WIDTH - EDGE.right - inset]
  const step = xs.length > 1 ? (last - first) / (xs.length - 1) : 0
  const middle = xs.length > 1 ? first : (first + last) / 2
  const height = HEIGHT - EDGE.top - EDGE.bottom
  return {
    x: value => middle + step * xs.indexOf(value),
    y: value => HEIGHT - EDGE.bottom - (height * value) / most,
    step: step || 80,
  }
}

/** 0 and up to four round numbers that reach `most`. */
export function niceTicks(most) {
  if (!(most > 0)) return [0, 1]
  const rough = most / 4
  const size = 10 ** Math.floor(Math.log10(rough))
  const step = size * [1, 2, 2.5, 5, 10].find(factor => factor * size >= rough)
  return Array.from({length: Math.ceil(most / step - 1e-9) + 1}, (_, i) => i * step)
}

function yTick(tick, scale, format) {
  const y = scale.y(tick)
  return [
    svg('line.grid', {x1: EDGE.left, x2: WIDTH - EDGE.right, y1: y, y2: y}),
    svg('text.tick.end', {x: EDGE.left - 6, y: y + 3.5}, format(tick, true)),
  ]
}

const xTick = (x, scale) =>
  svg('text.tick.middle', {x: scale.x(x), y: HEIGHT - 8}, x === 0 ? 'start' : `round ${x}`)

function lineMarks({name, tone, points}, scale, format) {
  const at = point => `${scale.x(point.x)},${scale.y(point.y)}`
  const banded = points.filter(point => point.low !== undefined)
  const band = [
    ...banded.map(point => `${scale.x(point.x)},${scale.y(point.high)}`),
    ...banded.toReversed().map(point => `${scale.x(point.x)},${scale.y(point.low)}`),
  ]
  return svg(
    `g.${tone}`,
    {},
    banded.length > 1 && svg('polygon.band', {points: band.join(' ')}),
    banded.map(point => whisker(point, scale)),
    svg('polyline.line', {points: points.map(at).join(' ')}),
    points.map(point => dot(point, name, scale, format)),
  )
}

const whisker = (point, scale) =>
  svg('line.whisker', {
    x1: scale.x(point.x),
    x2: scale.x(point.x),
    y1: scale.y(point.low),
    y2: scale.y(point.high),
  })

function dot(point, name, scale, format) {
  const interval = point.low === undefined ? '' : ` [${format(point.low)} – ${format(point.high)}]`
  const words = `${name} round ${point.x}: ${format(point.y)}${interval}`
  return svg(
    'circle.dot',
    {cx: scale.x(point.x), cy: scale.y(point.y), r: 3.6},
    svg('title', {}, words),
  )
}

function barMarks(series, scale, format) {
  const width = Math.min(34, (0.7 * scale.step) / series.length)
  return series.map(({name, tone, points}, index) => {
    const shift = (index - series.length / 2) * width
    return svg(
      `g.${tone}`,
      {},
      points.map(point => bar(point, name, scale, format, shift, width)),
    )
  })
}

function bar(point, name, scale, format, shift, width) {
  const [y, zero] = [scale.y(point.y), scale.y(0)]
  const box = {
    x: scale.x(point.x) + shift + 1,
    y,
    width: width - 2,
    height: Math.max(0, zero - y),
    rx: 2,
  }
  return svg('rect.bar', box, svg('title', {}, `${name} round ${point.x}: ${format(point.y)}`))
}
