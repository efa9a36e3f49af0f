// Trainings: the loss of each, and the evaluation of its model.

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

function card(training, models) {
  const {phase, round, step, total, points} = training
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
      ),
    ),
    curve(`loss of the ${name}`, [{tone: 'tone-1', points}], total),
    phase === 'ppm' ? accuracies(name, training, models) : null,
  )
}

/** Pairs that are ordered right: those that it learns from, and held-out ones. */
function accuracies(name, {round, total, accuracy_train, accuracy}, models) {
  const model = models.findLast(
    each => each.kind === 'ppm' && each.round === round && each.status === 'published',
  )
  const heldout = model?.metrics.pair_accuracy ?? accuracy.at(-1)?.[1]
  const shares = [
    ['learnt from', 'tone-2', accuracy_train.at(-1)?.[1]],
    ['held out', 'tone-4', heldout],
  ].filter(([, , share]) => typeof share === 'number')
  if (!shares.length) return null
  return [
    h(
      'div.legend',
      {},
      h('span', {}, 'pair accuracy'),
      shares.map(([label, tone, share]) =>
        h(`span.key.${tone}`, {}, h('i'), `${label} `, h('b', {}, percent(share))),
      ),
    ),
    accuracy_train.length || accuracy.length
      ? curve(
          `pair accuracy of the ${name}`,
          [
            {tone: 'tone-2', points: accuracy_train},
            {tone: 'tone-4', points: accuracy},
          ],
          total,
          1,
        )
      : null,
  ]
}
