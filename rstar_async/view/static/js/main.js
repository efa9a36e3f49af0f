// The frame around the views: header, addresses, keys, errors. Each view is a module with
// show(root, context); its `signal` ends its requests and timers when another view is shown.

import {ask} from './api.js'
import {h, link, put} from './dom.js'
import {commonKeys, showHelp, startKeys, step} from './keys.js'
import {go, route, to} from './router.js'
import {startTheme, toggleTheme} from './theme.js'

const VIEWS = {
  __proto__: null,
  rounds: ['Rounds', () => import('./views/rounds.js')],
  problems: ['Problems', () => import('./views/problems.js')],
  solutions: ['Solutions', () => import('./views/solutions.js')],
  pairs: ['Pairs', () => import('./views/pairs.js')],
  models: ['Models', () => import('./views/models.js')],
  time: ['Time', () => import('./views/time.js')],
  errors: ['Errors', () => import('./views/errors.js')],
  recipe: ['Recipe', () => import('./views/recipe.js')],
  workers: ['Workers', () => import('./views/workers.js')],
  search: [null, () => import('./views/search.js')],
  answers: [null, () => import('./views/answers.js')],
  mistakes: [null, () => import('./views/mistakes.js')],
}
const TABS = Object.keys(VIEWS).filter(name => VIEWS[name][0])

const state = {store: null, run: '', current: new AbortController()}
const main = document.getElementById('main')
const notice = document.getElementById('notice')

async function start() {
  startTheme()
  startKeys()
  commonKeys([
    ...TABS.map((name, i) => [
      String(i + 1),
      TABS.join(', '),
      () => go(to(state.run, name)),
    ]),
    ['j', 'next, previous row', () => step('[data-row]', 1)],
    ['k', 'next, previous row', () => step('[data-row]', -1)],
    ['/', 'search', () => document.querySelector('input[type=search]')?.focus()],
    ['d', 'light or dark', toggleTheme],
    ['?', 'these keys', showHelp],
  ])
  window.addEventListener('trouble', event => complain(event.detail))
  try {
    state.store = await ask(['runs'])
  } catch (error) {
    return complain(error)
  }
  window.addEventListener('hashchange', show)
  await show()
}

async function show() {
  const place = route()
  if (!place.run && state.store.runs.length) place.run = state.store.runs[0].id
  state.run = place.run
  state.current.abort()
  const {signal} = (state.current = new AbortController())
  put(document.getElementById('bar'), header(place))
  if (!place.run)
    return put(main, h('p.empty', {}, 'No run has been stored yet. Reload when one has begun.'))
  const root = h(`div.view.${VIEWS[place.view] ? place.view : 'unknown'}`)
  try {
    const module = await (VIEWS[place.view] ?? VIEWS.rounds)[1]()
    complain(null)
    await module.show(root, {...place, signal, store: state.store, mount: () => mount(root)})
    state.store.newest = null // known from the start; by the next view it may have changed
    if (!signal.aborted) shown(root)
  } catch (error) {
    if (!signal.aborted) complain(error)
  }
}

/** Put a view on screen; the page says how long the first one took. */
function mount(root) {
  if (!root.isConnected) put(main, root)
  main.dataset.milliseconds ??= String(Math.round(performance.now()))
}

/** Mark the view as complete, for tests. */
function shown(root) {
  mount(root)
  main.dataset.ready = location.hash || '#'
}

function header({run, view}) {
  const tab = name =>
    h('a', {href: to(run, name), 'aria-current': name === view ? 'page' : null}, VIEWS[name][0])
  return [
    h(
      'a.brand',
      {href: '#/', title: state.store.database},
      h('img', {src: 'icon.svg', alt: '', width: 22, height: 22}),
      'rStar',
    ),
    state.store.in_folder && link('../../', '‹ runs'),
    runChoice(run),
    h('nav', {'aria-label': 'views'}, run ? TABS.map(tab) : []),
    h(
      'div.tools',
      {},
      h(
        'button.icon',
        {
          type: 'button',
          title: 'light or dark (d)',
          'aria-label': 'light or dark',
          onclick: toggleTheme,
        },
        '◐',
      ),
      h(
        'button.icon',
        {type: 'button', title: 'keys (?)', 'aria-label': 'keys', onclick: showHelp},
        '?',
      ),
    ),
  ]
}

function runChoice(run) {
  const {runs} = state.store
  if (runs.length < 2) return run ? link(to(run, 'rounds'), h('span.run', {}, run)) : null
  const options = runs.map(each =>
    h('option', {value: each.id, selected: each.id === run}, each.id),
  )
  return h(
    'select.run',
    {'aria-label': 'run', onchange: event => go(to(event.target.value, 'rounds'))},
    options,
  )
}

/** Show an error in one line; null hides it. */
function complain(error) {
  notice.hidden = !error
  const lost = error instanceof TypeError
  put(
    notice,
    error && (lost ? 'The server does not answer. Is `rstar view` still running?' : error.message),
  )
}

start()
