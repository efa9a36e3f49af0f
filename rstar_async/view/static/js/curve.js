// One metric of a training, step by step, as a small inline SVG that fills its card.

import {h, svg} from './dom.js'
import {niceTicks} from './chart.js'

const WIDTH = 340
const HEIGHT = 120
const EDGE = {left: 40, right: 12, top: 8, bottom: 20}

/** `lines`: [{tone, points: [[step, value], …] in order}]; the x axis goes to `total`, the y axis to
    the largest value, or to `top`. */
export function curve(title, lines, total, top) {
  const drawn = lines.filter(({points}) => points.length)
  if (!drawn.length) return h('p.empty', {}, 'no step made yet')
  const largest = top ?? Math.max(...drawn.flatMap(({points}) => points.map(([, value]) => value)))
  const ticks = niceTicks(largest)
  const x = step => EDGE.left + ((WIDTH - EDGE.left - EDGE.right) * step) / Math.max(total, 1)
  const y = value => {
    const share = Math.max(0, value) / ticks.at(-1)
    return HEIGHT - EDGE.bottom - (HEIGHT - EDGE.top - EDGE.bottom) * share
  }
  return svg(
    'svg',
    {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': title},
    ticks.map(tick => [
      svg('line.grid', {x1: EDGE.left, x2: WIDTH - EDGE.right, y1: y(tick), y2: y(tick)}),
      svg('text.tick.end', {x: EDGE.left - 6, y: y(tick) + 3.5}, String(+tick.toPrecision(3))),
    ]),
    svg('text.tick', {x: EDGE.left, y: HEIGHT - 5}, 'step 0'),
    svg('text.tick.end', {x: WIDTH - EDGE.right, y: HEIGHT - 5}, String(total)),
    drawn.map(({tone, points}) => line(tone, points, x, y)),
  )
}

function line(tone, points, x, y) {
  const [lastStep, lastValue] = points.at(-1)
  return svg(
    `g.${tone}`,
    {},
    svg('polyline.line', {points: points.map(([step, value]) => `${x(step)},${y(value)}`).join(' ')}),
    svg('circle.dot', {cx: x(lastStep), cy: y(lastValue), r: 3.2}),
  )
}
