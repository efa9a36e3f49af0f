// The page over a folder of runs: a list of them, and those that are ticked side by side. The address
// names the ticked ones: #a/b.

import {ask, every} from './api.js'
import {chart} from './chart.js'
import {chip, empty, h, put, repaint} from './dom.js'
import {count, duration, percent, when} from './format.js'
import {commonKeys, showHelp, startKeys, step} from './keys.js'
import {table} from './table.js'
import {startTheme, toggleTheme} from './theme.js'

const LIVE_SECONDS = 5
const TONES = ['tone-1', 'tone-2', 'tone-3', 'tone-4', 'tone-5']

const list = h('section.card', {'aria-label': 'runs'})
const comparison = h('section.cards.comparison', {'aria-label': 'comparison'})
const notice = document.getElementById('notice')
const main = document.getElementById('main')

async function start() {
  startTheme()
  startKeys()
  commonKeys([
    ['j', 'next, previous run', () => step('[data-row]', 1)],
    ['k', 'next, previous run', () => step('[data-row]', -1)],
    ['d', 'light or dark', toggleTheme],
    ['?', 'these keys', showHelp],
  ])
  window.addEventListener('trouble', event => complain(event.detail))
  window.addEventListener('hashchange', () => compare().catch(complain))
  try {
    frame(await paintList())
    await compare()
    main.dataset.ready = location.hash || '#'
  } catch (error) {
    return complain(error)
  }
  every(LIVE_SECONDS, paintList, new AbortController().signal)
}

function frame({folder}) {
  put(
    document.getElementById('bar'),
    h('a.brand', {href: '#'}, h('img', {src: 'icon.svg', alt: '', width: 22, height: 22}), 'rStar'),
    h('span.run', {}, folder),
  )
  const about = 'Tick two or more to compare them: the first that was ticked is the one to compare with.'
  put(
    main,
    h(
      'div.view.runs',
      {},
      h('div.title', {}, h('h1', {}, 'Runs'), h('p', {}, about)),
      list,
      comparison,
    ),
  )
}

async function paintList() {
  const found = await ask(['folder'])
  repaint(list, found.runs.length ? table('runs', columns(), found.runs) : empty('No run is here yet.'))
  return found
}

const ticked = () => location.hash.replace(/^#/, '').split('/').filter(Boolean).map(decode)

function decode(text) {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function tick(name, wanted) {
  const names = ticked().filter(each => each !== name)
  location.hash = (wanted ? [...names, name] : names).map(encodeURIComponent).join('/')
}

function columns() {
  return [
    {name: 'Compare', value: ({name}) => ticked().indexOf(name), cell: box},
    {name: 'Run', value: ({name}) => name, cell: open},
    {name: 'Status', value: each => each.problem || each.status, cell: standing},
    {name: 'Model', about: 'the base model', value: ({base}) => base},
    {
      name: 'Rounds',
      about: 'closed rounds, the bootstrap left out',
      number: true,
      value: each => (each.problem ? null : each.rounds),
    },
    accuracy('Policy', 'held-out pass@1 of the policy alone, last round', ({policy}) => policy),
    accuracy('Search', 'held-out pass@1 of search, last round', ({search}) => search),
    {
      name: 'Took',
      about: 'all rounds, pauses left out',
      number: true,
      value: each => (each.problem ? null : each.seconds),
      cell: each => (each.problem ? '–' : duration(each.seconds)),
    },
    {
      name: 'Started',
      value: ({created_at}) => created_at,
      cell: ({created_at}) => when(created_at),
    },
  ]
}

const accuracy = (name, about, of) => ({
  name,
  about,
  number: true,
  value: each => of(each)?.value,
  cell: each =>
    of(each)
      ? [
          h('b', {}, percent(of(each).value)),
          h('span.dim', {}, ` ${percent(of(each).low, 0)} – ${percent(of(each).high, 0)}`),
        ]
      : '–',
})

const box = ({name, problem}) =>
  h('input', {
    type: 'checkbox',
    checked: ticked().includes(name),
    disabled: Boolean(problem),
    'aria-label': `compare ${name}`,
    onchange: event => tick(name, event.target.checked),
  })

const open = ({name, problem}) =>
  problem ? name : h('a', {href: `run/${encodeURIComponent(name)}/`, 'data-row': ''}, name)

const standing = ({problem, status}) =>
  problem
    ? h('span.failure', {title: problem}, problem)
    : chip(status, status === 'complete' ? 'good' : 'busy')

async function compare() {
  const names = ticked()
  if (names.length < 2) return put(comparison)
  const {note, series, tables} = await ask(['comparison'], {runs: names.join('/')})
  complain(null)
  put(
    comparison,
    h('h2', {}, `${count(names.length)} runs compared`),
    h('p.dim', {}, note),
    h('section.charts', {}, charts(series)),
    tables.map(plain),
  )
}

function charts(series) {
  const methods = [...new Set(series.map(each => each.method))]
  const runs = [...new Set(series.map(each => each.run))]
  const lines = method =>
    series
      .filter(each => each.method === method)
      .map(({run, points}) => ({
        name: run,
        tone: TONES[runs.indexOf(run) % TONES.length],
        points: points.map(([x, y, low, high]) => ({x, y, low, high})),
      }))
  const format = (value, tick_) => percent(value, tick_ ? 0 : 1)
  return methods.map(method => chart(`pass@1: ${method}`, lines(method), {format, top: 0.5}))
}

/** A table of `rstar compare`. */
function plain({title, header, rows}) {
  const value = i => row => (Number.isFinite(parseFloat(row[i])) ? parseFloat(row[i]) : row[i])
  const columns_ = header.map((name, i) => ({
    name,
    number: i > 1 && title !== 'Settings that differ',
    value: value(i),
    cell: row => row[i],
  }))
  return h('section.card', {}, h('h2', {}, title), table(`comparison ${title}`, columns_, rows))
}

function complain(error) {
  notice.hidden = !error
  put(notice, error?.message)
}

start()
