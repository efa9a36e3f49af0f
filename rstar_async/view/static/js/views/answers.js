// The answers behind an evaluation: each sample with its problem, and the tree it came from.

import {ask} from '../api.js'
import {chip, empty, h, link, put, select, switcher} from '../dom.js'
import {count, duration, percent} from '../format.js'
import {bare, code} from '../highlight.js'
import {pager} from '../parts.js'
import {go, to} from '../router.js'
import {inShort} from '../tree/tests.js'

const PAGE = 20
const OUTCOMES = [
  ['', 'all'],
  ['right', 'answer verified'],
  ['wrong', 'wrong'],
  ['unanswered', 'no answer'],
  ['undecided', 'undecided'],
]

export async function show(root, {run, parts: [chosen], query, signal, mount}) {
  const {evaluations} = await ask(['runs', run], {}, signal)
  const evaluation = evaluations.find(each => each.id === chosen) ?? evaluations.at(-1)
  if (!evaluation)
    return put(root, h('h1', {}, 'Answers'), empty('Nothing has been measured yet.'))
  const offset = Number(query.offset) || 0
  const turn = (changes, id = evaluation.id) =>
    go(to(run, 'answers', [id], {...query, offset: '', ...changes}))
  const page = await ask(
    ['runs', run, 'evaluations', evaluation.id, 'answers'],
    {outcome: query.outcome, offset, limit: PAGE},
    signal,
  )
  put(
    root,
    h('div.title', {}, h('h1', {}, 'Answers'), summary(evaluation)),
    filters(query, evaluation, evaluations, turn),
    page.answers.length
      ? h('section.cards', {}, page.answers.map(each => card(each, run)))
      : empty('There are none; an evaluation by a vote keeps only its figure.'),
    pager(page.total, offset, turn, PAGE),
  )
  mount()
}

const summary = ({method, round, benchmark, pass_at_1: value, low, high, samples}) =>
  h(
    'p',
    {},
    `${method} after ${round ? `round ${round}` : 'the bootstrap'} on ${benchmark}: pass@1 `,
    h('b', {}, percent(value)),
    ` [${percent(low, 0)} – ${percent(high, 0)}], `,
    `${count(samples)} ${samples === 1 ? 'sample' : 'samples'} a problem`,
  )

function filters(query, evaluation, evaluations, turn) {
  const names = evaluations.map(each => [each.id, `round ${each.round}, ${each.method}`])
  return h(
    'div.filters',
    {},
    switcher('outcome', query.outcome ?? '', OUTCOMES, outcome => turn({outcome})),
    select('evaluation', evaluation.id, names, id => turn({}, id)),
  )
}

function card({answer, question, known}, run) {
  return h(
    'article.card.solution',
    {},
    h(
      'header',
      {},
      verdict(answer),
      h('span', {}, 'answer ', h('b', {}, inShort(answer.answer) || '–')),
      h('span', {}, 'known answer ', h('b', {}, inShort(known))),
      h('span', {}, `sample ${answer.sample}`),
      answer.seconds > 0 && h('span', {}, duration(answer.seconds)),
      answer.search_id &&
        h(
          'a.more',
          {href: to(run, 'search', [answer.search_id]), 'data-row': ''},
          'its tree →',
        ),
      link(to(run, 'problems', [], {purpose: 'evaluation', text: question}), 'problem'),
    ),
    h('p.question', {}, question),
    answer.text && h('details', {}, h('summary', {}, 'text'), code(bare(answer.text))),
  )
}

function verdict({answer, correct}) {
  if (correct) return chip('answer verified', 'good')
  if (!answer) return chip('no answer', 'error')
  return correct === null ? chip('undecided') : chip('wrong', 'bad')
}
