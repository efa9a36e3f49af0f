// Walking through a tree by keys; the same on the map and on the lines.

import {viewKeys} from '../keys.js'
import {TABS} from './detail.js'

/** Keys of a SearchView. */
export function walkKeys(view) {
  const {tree, state} = view
  const here = () => tree.nodes.get(state.selected) ?? tree.nodes.get('0')
  const choose = node => node && view.choose(node.path)
  const row = by => {
    const rows = tree.visible()
    choose(rows[rows.indexOf(here()) + by])
  }
  const sibling = by => {
    const all = here().parent ? tree.shownChildren(here().parent) : []
    choose(all[all.indexOf(here()) + by])
  }
  const fold = () => {
    tree.toggle(here())
    view.rearrange()
  }
  const left = () =>
    here().children.length && !tree.isFolded(here()) && view.drawing === 'lines'
      ? fold()
      : choose(here().parent)
  const right = () => {
    if (tree.isFolded(here())) fold()
    choose(tree.shownChildren(here())[0])
  }
  const cycle = (nodes, by) =>
    choose(nodes[(nodes.indexOf(here()) + by + nodes.length) % nodes.length])
  const found = by =>
    cycle([...state.matches].map(path => tree.nodes.get(path)).filter(Boolean), by)
  const tab = () =>
    view.pick(TABS[(TABS.findIndex(([key]) => key === view.tab) + 1) % TABS.length][0])
  viewKeys(
    [
      ['ArrowDown', 'down, up', () => row(1)],
      ['ArrowUp', 'down, up', () => row(-1)],
      ['j', 'down, up', () => row(1)],
      ['k', 'down, up', () => row(-1)],
      ['ArrowLeft', 'to the parent, to the first child', left],
      ['ArrowRight', 'to the parent, to the first child', right],
      ['h', 'to the parent, to the first child', left],
      ['l', 'to the parent, to the first child', right],
      ['[', 'siblings', () => sibling(-1)],
      [']', 'siblings', () => sibling(1)],
      [' ', 'fold or unfold', fold],
      ['b', 'next right answer, best first', () => cycle(tree.rightAnswers(), 1)],
      ['n', 'next, previous that was found', () => found(1)],
      ['N', 'next, previous that was found', () => found(-1)],
      ['t', 'step, whole way, siblings', tab],
      ['m', 'map or lines', () => view.redraw(view.drawing === 'map' ? 'lines' : 'map')],
      ['+', 'zoom', () => view.drawn.zoom(1.3)],
      ['-', 'zoom', () => view.drawn.zoom(1 / 1.3)],
      ['0', 'show all', () => view.drawn.fit()],
    ],
    view.signal,
  )
}
