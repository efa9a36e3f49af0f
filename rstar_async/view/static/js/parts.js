// Parts that several views share: the square of a search, links to other pages.

import {h} from './dom.js'
import {count} from './format.js'
import {to} from './router.js'

/** The outcome of a search as a coloured square with the number of its round. */
export function square(search, run, current = '') {
  const tone = search.solved ? 'good' : search.status === 'finished' ? 'bad' : search.status
  const words = `round ${search.round}: ${search.status}${search.solved ? ', solved' : ''}, ${count(search.nodes)} nodes, ${count(search.tokens)} tokens`
  return h(
    `a.square.${tone}`,
    {
      href: to(run, 'search', [search.id]),
      title: words,
      'aria-label': words,
      'aria-current': search.id === current ? 'true' : null,
    },
    search.round,
  )
}

/** The number of this page, and links to the others. */
export function pager(total, offset, turn, page) {
  if (total <= page && !offset) return h('p.pager', {}, `${count(total)} in all`)
  const last = Math.min(total, offset + page)
  return h(
    'nav.pager',
    {'aria-label': 'pages'},
    h(
      'button',
      {
        type: 'button',
        disabled: offset === 0,
        onclick: () => turn({offset: Math.max(0, offset - page)}),
      },
      '‹ back',
    ),
    h('span', {}, `${count(offset + 1)} – ${count(last)} of ${count(total)}`),
    h(
      'button',
      {type: 'button', disabled: last >= total, onclick: () => turn({offset: last})},
      'on ›',
    ),
  )
}
