// Problems, filtered and sorted; the filter is in the address, so it can be linked to. Each search is
// a square: its colour is the outcome, a click opens the tree.

import {ask, every} from '../api.js'
import {chip, empty, h, put, repaint, select, switcher} from '../dom.js'
import {count, duration, percent, plural, short} from '../format.js'
import {step, viewKeys} from '../keys.js'
import {pager, square} from '../parts.js'
import {go, to} from '../router.js'
import {sortHeading} from '../table.js'

const PAGE = 50
const LIVE_SECONDS = 5
const STATES = [
  ['', 'all'],
  ['unsolved', 'unsolved'],
  ['solved', 'solved'],
  ['running', 'running'],
  ['failed', 'failed'],
]
const ORDERS = [
  ['problem', 'as stored'],
  ['late', 'solved late'],
]
// `order` is the server's name of what rows are sorted by.
const COLUMNS = [
  {name: 'Problem', order: 'question', about: 'the question'},
  {name: 'Kind', order: 'kind'},
  {name: 'Level', order: 'level', about: 'difficulty as its source says'},
  {name: 'Rounds', order: 'rounds', about: 'a square for each search: green solved, red not'},
  {
    name: 'Found at',
    order: 'found',
    number: true,
    about: 'share of the expansions after which there was a right answer',
  },
  {name: 'Tokens', order: 'tokens', number: true, about: 'sampled in all searches that are shown'},
  {name: 'Nodes', order: 'nodes', number: true, about: 'different steps in their trees'},
  {name: 'Took', order: 'seconds', number: true, about: 'seconds of searching'},
]

export async function show(root, {run, query, signal, mount}) {
  const offset = Number(query.offset) || 0
  const asked = {...query, offset, limit: PAGE}
  const turn = changes => go(to(run, 'problems', [], {...query, offset: '', ...changes}))
  const [{facets}, {rounds}, page] = await Promise.all([
    ask(['runs', run, 'facets'], {}, signal),
    ask(['runs', run], {}, signal),
    ask(['runs', run, 'problems'], asked, signal),
  ])
  const list = h('section.card.list', {})
  put(root, h('div.title', {}, h('h1', {}, 'Problems')), filters(query, facets, rounds, turn), list)
  const paint = found =>
    repaint(list, table(found, run, query, turn), pager(found.total, offset, turn, PAGE))
  paint(page)
  mount()
  viewKeys(
    [
      [
        'n',
        'next, previous page',
        () => offset + PAGE < page.total && turn({offset: offset + PAGE}),
      ],
      ['p', 'next, previous page', () => offset > 0 && turn({offset: Math.max(0, offset - PAGE)})],
      ['ArrowDown', 'next, previous row', () => step('[data-row]', 1)],
      ['ArrowUp', 'next, previous row', () => step('[data-row]', -1)],
    ],
    signal,
  )
  if (rounds.some(each => each.round.status === 'searching'))
    every(
      LIVE_SECONDS,
      async () => {
        paint(await ask(['runs', run, 'problems'], asked, signal))
      },
      signal,
    )
}

function filters(query, facets, rounds, turn) {
  const values = name => [...new Set(facets.map(each => each[name]).filter(Boolean))].sort(inOrder)
  const options = name => [['', 'all'], ...values(name).map(value => [value, value])]
  const search = h('input', {
    type: 'search',
    placeholder: 'Words of the question',
    value: query.text ?? '',
    'aria-label': 'words of the question',
  })
  const submit = event => {
    event.preventDefault()
    turn({text: search.value})
  }
  return h(
    'form.filters',
    {onsubmit: submit, role: 'search'},
    search,
    switcher('state', query.state ?? '', STATES, state => turn({state})),
    select(
      'round',
      query.round ?? '',
      [['', 'all'], ...rounds.map(each => [String(each.round.number), String(each.round.number)])],
      round => turn({round}),
    ),
    select(
      'of',
      query.purpose ?? 'train',
      [
        ['train', 'training'],
        ['evaluation', 'evaluation'],
      ],
      purpose => turn({purpose}),
    ),
    select('kind', query.kind ?? '', options('kind'), kind => turn({kind})),
    select('level', query.level ?? '', options('level'), level => turn({level})),
    select('order', query.order ?? 'problem', orders(query.order), order =>
      turn({order, direction: ''}),
    ),
  )
}

/** The orders without a column, and the one that a heading chose. */
function orders(chosen) {
  const column = COLUMNS.find(({order}) => order === chosen)
  return column ? [...ORDERS, [chosen, `by ${column.name.toLowerCase()}`]] : ORDERS
}

const inOrder = (a, b) => a.localeCompare(b, 'en', {numeric: true})

function table(page, run, query, turn) {
  if (!page.problems.length)
    return empty('No problem is like that. ', h('a', {href: to(run, 'problems')}, 'Show all'))
  return h(
    'div.scroll',
    {},
    h(
      'table.rows.problem-table',
      {},
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          COLUMNS.map(column => heading(column, query, turn)),
        ),
      ),
      h(
        'tbody',
        {},
        page.problems.map(each => row(each, run, query)),
      ),
    ),
  )
}

/** A heading that sorts all pages: as is usual for the column, then the other way. */
function heading(column, {order, direction}, turn) {
  const usual = column.number || ['level', 'rounds'].includes(column.order) ? 'down' : 'up'
  const now = column.order === order ? direction || usual : ''
  const other = {up: 'down', down: 'up'}
  return sortHeading(column, now, () =>
    turn({order: column.order, direction: now ? other[now] : usual}),
  )
}

function row({problem, searches}, run, query) {
  const sum = name => searches.reduce((total, each) => total + each[name], 0)
  const shown = searches.find(each => String(each.round) === query.round) ?? searches.at(-1)
  return h(
    'tr',
    {},
    h(
      'td',
      {},
      h('a.question', {href: to(run, 'search', [shown.id]), 'data-row': ''}, problem.question),
    ),
    h('td', {}, chip(problem.kind || '–')),
    h('td', {'data-label': 'level'}, problem.level || '–'),
    h(
      'td',
      {},
      h(
        'span.squares',
        {},
        searches.map(each => square(each, run)),
      ),
    ),
    h('td.number', {'data-label': 'found at'}, found(shown)),
    h('td.number', {'data-label': 'tokens'}, short(sum('tokens'))),
    h('td.number', {'data-label': 'nodes'}, count(sum('nodes'))),
    h('td.number', {}, duration(sum('seconds'))),
  )
}

const found = search =>
  search.first_right
    ? h(
        'span',
        {title: `a right answer came with expansion ${search.first_right} of ${plural(search.expansions, 'expansion')}`},
        percent(search.first_right / search.expansions, 0),
      )
    : '–'
