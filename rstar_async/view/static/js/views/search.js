// One search: its tree as a map or as lines, and beside it the details of the chosen node. The address
// holds the node, the tab and the drawing, so any of them can be linked to.

import {ask} from '../api.js'
import {h, put} from '../dom.js'
import {count} from '../format.js'
import {note, to} from '../router.js'
import {showDetail} from '../tree/detail.js'
import {follow, loadTree} from '../tree/feed.js'
import {live, searchHead} from '../tree/head.js'
import {Tree} from '../tree/model.js'
import {tabBar, treeTools} from '../tree/tools.js'
import {walkKeys} from '../tree/walk.js'

const DRAWINGS = {
  map: () => import('../tree/map.js').then(it => it.TreeMap),
  lines: () => import('../tree/outline.js').then(it => it.TreeOutline),
}
const PHONE = '(max-width: 760px)'

export async function show(root, context) {
  const {
    parts: [id = '', path = '0'],
    query,
    signal,
    mount,
  } = context
  const found = await ask(['searches', id], {}, signal)
  const view = new SearchView(root, context, found, path, query)
  view.frame()
  mount()
  await Promise.all([view.load(), view.draw()])
  if (!signal.aborted) view.begin()
}

class SearchView {
  constructor(root, {run, signal}, found, path, query) {
    Object.assign(this, {
      root,
      run,
      signal,
      found,
      id: found.search.id,
      tree: new Tree(),
      query: {...query},
    })
    this.state = {
      selected: path,
      matches: new Set(),
      cursor: live(found.search) ? found.search.cursor : '',
    }
    this.drawing = query.draw ?? (matchMedia(PHONE).matches ? 'lines' : 'map')
    this.tab = query.tab ?? 'step'
    this.turn = new AbortController()
  }

  frame() {
    this.head = h('header.search-head', {})
    this.tools = h('div.tree-tools', {})
    this.pane = h('div.tree-pane', {})
    this.tabs = h('div.tabs', {role: 'tablist'})
    this.detail = h('div.detail-body', {'aria-live': 'polite'})
    const detail = h('aside.detail', {'aria-label': 'node'}, this.tabs, this.detail)
    put(
      this.root,
      this.head,
      h('div.split', {}, h('section.tree', {'aria-label': 'tree'}, this.tools, this.pane), detail),
    )
    this.paintHead()
  }

  async load() {
    await loadTree(this.id, this.tree, () => this.drawn?.rearrange(), this.signal)
    this.tree.foldToLook()
    this.paintHead()
    this.reveal(this.state.selected)
  }

  async draw() {
    const Drawing = await DRAWINGS[Object.hasOwn(DRAWINGS, this.drawing) ? this.drawing : 'map']()
    const {tree, state, signal} = this
    const chosen = node => this.choose(node.path)
    const folded = node => {
      tree.toggle(node)
      this.drawn.rearrange()
    }
    this.drawn = new Drawing({tree, state, chosen, folded, signal})
    put(this.pane, this.drawn.element)
  }

  begin() {
    this.paintTools()
    this.drawn.rearrange()
    this.drawn.firstLook?.()
    this.choose(this.state.selected)
    walkKeys(this)
    this.root.dataset.loaded = this.tree.size
    if (live(this.found.search))
      follow(
        this.id,
        this.tree,
        () => this.grown(),
        state => this.told(state),
        this.signal,
      )
  }

  /** Other nodes are visible now; keep the chosen one on screen. */
  rearrange() {
    this.drawn.rearrange()
    const node = this.tree.nodes.get(this.state.selected)
    if (node) this.drawn.show(node)
  }

  /** New nodes came while the search runs. */
  grown() {
    this.drawn.rearrange()
    this.root.dataset.loaded = this.tree.size
  }

  told(progress) {
    const {nodes, after, ...rest} = progress
    Object.assign(this.found.search, rest)
    this.state.cursor = live(this.found.search) ? rest.cursor : ''
    this.paintHead()
    this.drawn.redraw()
  }

  choose(path) {
    this.state.selected = path
    this.reveal(path)
    const node = this.tree.nodes.get(path)
    if (node) this.drawn.show(node)
    this.drawn.redraw()
    this.remember()
    this.paintTabs()
    this.paintDetail()
  }

  reveal(path) {
    const node = this.tree.nodes.get(path)
    if (!node) return
    const before = this.tree.folded.size
    this.tree.reveal(node)
    if (this.tree.folded.size !== before) this.drawn?.rearrange()
  }

  async paintDetail() {
    this.turn.abort()
    this.turn = new AbortController()
    const signal = AbortSignal.any([this.signal, this.turn.signal])
    const {found, state, tab} = this
    try {
      await showDetail(this.detail, found, state.selected, tab, path => this.choose(path), signal)
      this.detail.dataset.path = state.selected
    } catch (error) {
      if (!signal.aborted) put(this.detail, h('p.empty', {}, error.message))
    }
  }

  remember() {
    note(to(this.run, 'search', [this.id, this.state.selected], this.query))
  }

  pick(tab) {
    this.tab = this.query.tab = tab
    this.choose(this.state.selected)
  }

  async redraw(drawing) {
    this.drawing = this.query.draw = drawing
    await this.draw()
    this.paintTools()
    this.choose(this.state.selected)
  }

  paintHead() {
    const root = this.tree.nodes.get('0')
    put(this.head, searchHead(this.run, this.found, this.tree.size, root))
  }

  paintTools() {
    this.matched = h('span.matched', {})
    put(this.tools, treeTools(this))
  }

  paintTabs() {
    put(this.tabs, tabBar(this))
  }

  async find(text) {
    const {paths} = text
      ? await ask(['searches', this.id, 'find'], {text}, this.signal)
      : {paths: []}
    this.state.matches = new Set(paths)
    put(this.matched, text && `${count(paths.length)} found`)
    if (paths.length) this.choose(paths[0])
    else this.drawn.redraw()
  }
}
