// The keyboard: a table of keys, which the help shows too. A view adds its own while it is shown.

import {h, put} from './dom.js'

const common = new Map()
let own = new Map()

/** `keys`: [[key, what it does, action], …]; "j / k" lists two that share a line. */
export const commonKeys = keys => learn(common, keys)

/** Keys of the view on screen; they end with it. */
export function viewKeys(keys, signal) {
  const mine = learn(new Map(), keys)
  own = mine
  signal.addEventListener('abort', () => {
    if (own === mine) own = new Map()
  })
}

function learn(table, keys) {
  for (const [key, words, action] of keys) table.set(key, {words, action})
  return table
}

export function startKeys() {
  window.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === 'Escape') return leave(event)
    if (isTyping(event.target)) return
    const found = own.get(event.key) ?? common.get(event.key)
    if (!found) return
    event.preventDefault()
    found.action(event)
  })
}

const isTyping = target => target.matches?.('input, textarea, select')

function leave(event) {
  document.querySelector('dialog[open]')?.close()
  if (isTyping(event.target)) event.target.blur()
}

const NAMES = {ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→', ' ': 'space'}

/** The table of keys, on top of the page. */
export function showHelp() {
  const dialog = h('dialog.help', {'aria-label': 'keys', onclose: () => dialog.remove()})
  const close = h('button', {type: 'button', onclick: () => dialog.close()}, 'Close')
  put(
    dialog,
    h('h2', {}, 'Keys'),
    own.size > 0 && table('This view', own),
    table('Everywhere', common),
    close,
  )
  document.body.append(dialog)
  dialog.showModal()
}

function table(title, keys) {
  const lines = new Map()
  for (const [key, {words}] of keys)
    lines.set(words, [...(lines.get(words) ?? []), NAMES[key] ?? key])
  const rows = [...lines].map(([words, names]) =>
    h(
      'div',
      {},
      h(
        'dt',
        {},
        names.map(name => h('kbd', {}, name)),
      ),
      h('dd', {}, words),
    ),
  )
  return [h('h3', {}, title), h('dl', {}, rows)]
}

/** Move the focus up or down a list of links, for j and k. */
export function step(selector, by) {
  const items = [...document.querySelectorAll(selector)]
  const now = items.indexOf(document.activeElement)
  const next = items[Math.max(0, Math.min(items.length - 1, now < 0 ? 0 : now + by))]
  next?.focus()
  next?.scrollIntoView({block: 'nearest'})
}
