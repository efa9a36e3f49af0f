// Loads a tree page by page, and polls for new nodes while its search runs.

import {ask, every} from '../api.js'

const PAGE = 1000
const LIVE_SECONDS = 1.5

/** Every page of the tree from expansion `since` on; `got` after each that brought something. */
export async function loadTree(search, tree, got, signal, since = -1) {
  let after = ''
  do {
    const page = await ask(['searches', search, 'tree'], {since, after, limit: PAGE}, signal)
    if (tree.add(page.nodes)) got()
    after = page.after
  } while (after)
}

/** Follow a search that is not over: new nodes, new N and Q, and where it stands (`told`). */
export function follow(search, tree, got, told, signal) {
  const stop = new AbortController()
  const both = AbortSignal.any([signal, stop.signal])
  every(
    LIVE_SECONDS,
    async () => {
      const state = await loadStatistics(search, tree, both)
      if (state.expansions > tree.lastExpansion)
        await loadTree(search, tree, got, both, tree.lastExpansion)
      told(state)
      if (state.status === 'finished' || state.status === 'failed') stop.abort()
    },
    both,
  )
}

async function loadStatistics(search, tree, signal) {
  let after = ''
  let state
  do {
    state = await ask(['searches', search, 'statistics'], {after, limit: 5000}, signal)
    tree.update(state.nodes)
    after = state.after
  } while (after)
  return state
}
