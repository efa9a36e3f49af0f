// The tools above a tree: map or lines, search, what is shown, zoom; and the tabs of its node.

import {h, switcher} from '../dom.js'
import {TABS} from './detail.js'

/** Tools of a SearchView. */
export function treeTools(view) {
  return [
    switcher(
      'drawing',
      view.drawing,
      [
        ['map', 'Map'],
        ['lines', 'Lines'],
      ],
      drawing => view.redraw(drawing),
    ),
    h('span.group', {}, finder(view), view.matched),
    visitedOnly(view),
    folding(view),
    bestAnswer(view),
    view.drawing === 'map' && zooming(view),
  ]
}

/** Tabs of the chosen node. */
export function tabBar(view) {
  const selected = key => String(key === view.tab)
  return TABS.map(([key, name]) =>
    h(
      'button',
      {type: 'button', role: 'tab', 'aria-selected': selected(key), onclick: () => view.pick(key)},
      name,
    ),
  )
}

const button = (words, title, action) =>
  h('button', {type: 'button', title, 'aria-label': title, onclick: action}, words)

const finder = view =>
  h('input', {
    type: 'search',
    placeholder: 'Find in steps',
    'aria-label': 'find in steps',
    onchange: event => view.find(event.target.value),
  })

function visitedOnly(view) {
  const {tree} = view
  const change = event => {
    tree.visitedOnly = event.target.checked
    view.rearrange()
  }
  return h(
    'label.check',
    {},
    h('input', {type: 'checkbox', checked: tree.visitedOnly, onchange: change}),
    'visited only',
  )
}

function folding(view) {
  const {tree} = view
  const changed = action => () => {
    action()
    view.rearrange()
  }
  return h(
    'span.group',
    {},
    button(
      '⊟',
      'fold all but the beginning',
      changed(() => tree.foldFrom(2)),
    ),
    button(
      '⊞',
      'unfold all',
      changed(() => tree.unfoldAll()),
    ),
  )
}

function bestAnswer(view) {
  const go = () => {
    const best = view.tree.bestAnswer()
    if (best) view.choose(best.path)
  }
  return button('best answer', 'go to the best answer; b goes through the right ones', go)
}

function zooming({drawn}) {
  return h(
    'span.group',
    {},
    button('−', 'zoom out (-)', () => drawn.zoom(1 / 1.3)),
    button('+', 'zoom in (+)', () => drawn.zoom(1.3)),
    button('fit', 'show all (0)', () => drawn.fit()),
  )
}
