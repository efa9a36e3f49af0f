// A table whose rows can be sorted by any column and filtered by words. Sorting and words belong to the
// name of the table, so that they outlive a repaint while a run goes on.

import {h, put} from './dom.js'

const states = new Map()
const FILTERED_FROM = 8

/**
 * `columns`: {name, about, number, value(row), cell(row)}: `about` explains the heading, `value` is
 * what rows are sorted and filtered by, `cell` what is shown ([value] if left out). `row(row, cells)`
 * makes the row; a plain <tr> if left out.
 */
export function table(name, columns, rows, {row, look = ''} = {}) {
  const state = states.get(name) ?? {by: -1, down: false, words: ''}
  states.set(name, state)
  const body = h('tbody')
  const head = h('tr')
  const paint = () => {
    put(head, columns.map((column, i) => heading(column, i, state, paint)))
    put(body, chosen(columns, rows, state).map(each => line(columns, each, row)))
  }
  paint()
  return h(
    'div.sortable',
    {},
    rows.length >= FILTERED_FROM && filter(name, columns, state, paint),
    h(
      'div.scroll',
      {},
      h(`table.rows${look && `.${look}`}`, {}, h('thead', {}, head), body),
    ),
  )
}

/** A heading that sorts: first downwards for numbers, upwards for words, then the other way. */
function heading({name, about, number}, i, state, paint) {
  const sort = () => {
    state.down = state.by === i ? !state.down : Boolean(number)
    state.by = i
    paint()
  }
  return sortHeading({name, about, number}, state.by === i ? (state.down ? 'down' : 'up') : '', sort)
}

/** The cell of a heading that calls `sort`; `order` is '', 'up' or 'down'. */
export function sortHeading({name, about, number}, order, sort) {
  const spoken = {up: 'ascending', down: 'descending'}[order] ?? null
  const mark = {up: ' ↑', down: ' ↓'}[order] ?? ''
  return h(
    number ? 'th.number' : 'th',
    {scope: 'col', 'aria-sort': spoken},
    h('button.plain', {type: 'button', title: about ?? `sort by ${name}`, onclick: sort}, name, mark),
  )
}

function filter(name, columns, state, paint) {
  const example = columns.find(column => column.name)?.name.toLowerCase()
  return h('input.table-filter', {
    type: 'search',
    value: state.words,
    placeholder: 'Filter rows',
    title: `words that a row has; ${example}:word looks into one column only`,
    'aria-label': `filter ${name}`,
    oninput: event => {
      state.words = event.target.value
      paint()
    },
  })
}

/** The rows that have all words, in order. */
function chosen(columns, rows, {by, down, words}) {
  const tests = words.toLowerCase().split(/\s+/).filter(Boolean).map(word => test(columns, word))
  const kept = rows.filter(each => tests.every(passes => passes(each)))
  if (by < 0) return kept
  const {value} = columns[by]
  const sign = down ? -1 : 1
  return kept.toSorted((a, b) => sign * inOrder(value(a), value(b), sign))
}

function test(columns, word) {
  const [place, rest] = word.split(':')
  const own = rest !== undefined && columns.filter(({name}) => name.toLowerCase().startsWith(place))
  const [where, what] = own && own.length ? [own, rest] : [columns, word]
  return row => where.some(({value}) => String(value(row) ?? '').toLowerCase().includes(what))
}

/** What is missing stands last, however the rest is sorted. */
function inOrder(a, b, sign) {
  const [none, other] = [a ?? null, b ?? null]
  if (none === null || other === null)
    return none === other ? 0 : sign * (none === null ? 1 : -1)
  if (typeof none === 'number' && typeof other === 'number') return none - other
  return String(none).localeCompare(String(other), 'en', {numeric: true})
}

function line(columns, row, make) {
  const cells = columns.map(({number, label, cell, value}) =>
    h(number ? 'td.number' : 'td', {'data-label': label}, cell ? cell(row) : (value(row) ?? '–')),
  )
  return make ? make(row, cells) : h('tr', {}, cells)
}
