// Trainings as they go: the loss of each, and what its model was measured to be.

import {ask} from '../api.js'
import {curve} from '../curve.js'
import {chip, h, repaint} from '../dom.js'
import {count, percent} from '../format.js'

const SHOWN = 6
const NAMES = {__proto__: null, policy: 'policy', ppm: 'PPM'}

/** Paint the newest trainings into `section`; true while one of them goes on. */
export async function paintTrainings(section, models, signal) {
  const found = await ask(['trainings'], {}, signal)
  repaint(
    section,
    found.slice(0, SHOWN).map(each => card(each, models)),
  )
  return found.some(each => each.step < each.total)
}

function card({phase, round, step, total, points}, models) {
  const model = models.findLast(
    each => each.kind === phase && each.round === round && each.status === 'published',
  )
  const done = step >= total
  const name = `${NAMES[phase] ?? phase} ${round ? `of round ${round}` : 'before round 1'}`
  return h(
    'figure.card.chart.training',
    {},
    h(
      'figcaption',
      {},
      h('h3', {}, name, ' ', done ? null : chip('training', 'busy')),
      h(
        'div.legend',
        {},
        h('span', {}, 'loss ', h('b', {}, points.length ? points.at(-1)[1].toFixed(4) : '–')),
        h('span', {}, 'step ', h('b', {}, `${count(step)} of ${count(total)}`)),
        accuracy(model),
      ),
    ),
    curve(`loss of the ${name}`, points, total),
  )
}

function accuracy(model) {
  const {pair_accuracy: share} = model?.metrics ?? {}
  if (typeof share !== 'number') return null
  return h('span', {title: 'on held-out pairs'}, 'pair accuracy ', h('b', {}, percent(share)))
}
