// Whole solutions of a round by mean Q: the best right ones, or the wrong ones with the highest Q.

import {ask} from '../api.js'
import {chip, empty, h, put, select, switcher} from '../dom.js'
import {count, percent, plural, signed} from '../format.js'
import {go, to} from '../router.js'
import {wholeWay} from '../tree/detail.js'
import {inShort} from '../tree/tests.js'
import {pager} from '../parts.js'

const PAGE = 10

export async function show(root, {run, query, signal, mount}) {
  const {rounds, models} = await ask(['runs', run], {}, signal)
  const searched = rounds.filter(each => each.train?.finished)
  if (!searched.length)
    return put(root, h('h1', {}, 'Solutions'), empty('No search of this run has finished yet.'))
  const round = query.round ?? String(searched.at(-1).round.number)
  const offset = Number(query.offset) || 0
  const turn = changes => go(to(run, 'solutions', [], {...query, round, offset: '', ...changes}))
  const list = h('section.cards', {}, empty('Ranking the answers of this round …'))
  put(
    root,
    h(
      'div.title',
      {},
      h('h1', {}, 'Solutions'),
      h('p', {}, 'One a problem. Mean Q is over the steps of the solution.', judged(models, round)),
    ),
    filters(query, searched, round, turn),
    list,
  )
  mount()
  const {correct, order} = query
  const page = await ask(
    ['runs', run, 'rounds', round, 'solutions'],
    {correct, order, offset, limit: PAGE},
    signal,
  )
  put(
    list,
    page.solutions.map(each => card(each, run, correct !== 'false')),
    page.total ? pager(page.total, offset, turn, PAGE) : empty('There are none.'),
  )
}

/** Where the truth about each step is known: how many solutions are right by more than luck. */
function judged(models, round) {
  const {metrics} =
    models.findLast(each => String(each.round) === round && each.metrics.solutions_judged > 0) ?? {}
  if (!metrics) return null
  const {solutions_judged: all, solutions_right_process: right} = metrics
  return ` Of ${plural(all, 'solution')} with a verified answer that the policy learnt from, ${count(right)} (${percent(right / all, 0)}) have a right process too.`
}

function filters(query, searched, round, turn) {
  const numbers = searched.map(each => [String(each.round.number), String(each.round.number)])
  return h(
    'div.filters',
    {},
    switcher(
      'answer',
      query.correct ?? 'true',
      [
        ['true', 'answer verified'],
        ['false', 'wrong'],
      ],
      correct => turn({correct}),
    ),
    switcher(
      'order',
      query.order ?? 'best',
      [
        ['best', 'highest Q first'],
        ['worst', 'lowest Q first'],
      ],
      order => turn({order}),
    ),
    select('round', round, numbers, value => turn({round: value})),
  )
}

function card({answer, steps}, run, right) {
  return h(
    'article.card.solution',
    {},
    h(
      'header',
      {},
      chip(right ? 'answer verified' : 'wrong answer', right ? 'good' : 'bad'),
      h('span', {}, 'mean Q ', h('b', {}, signed(answer.mean_q))),
      h('span', {}, 'lowest ', h('b', {}, signed(answer.min_q))),
      h('span', {}, plural(answer.depth, 'step')),
      h('span', {}, 'answer ', h('b', {}, inShort(answer.answer))),
      h(
        'a.more',
        {href: to(run, 'search', [answer.search_id, answer.path], {tab: 'way'}), 'data-row': ''},
        'in its tree →',
      ),
    ),
    h('p.question', {}, answer.question),
    h('details', {open: true}, h('summary', {}, 'solution'), wholeWay(steps, null)),
  )
}
