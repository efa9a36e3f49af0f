// The settings of the run as they were resolved when it started, by dotted name.

import {ask} from '../api.js'
import {h, put} from '../dom.js'
import {table} from '../table.js'

export async function show(root, {run, signal, mount}) {
  const {settings} = await ask(['runs', run, 'recipe'], {}, signal)
  const columns = [
    {name: 'Setting', value: each => each.name, cell: each => h('code', {}, each.name)},
    {name: 'Value', value: each => each.value, cell: each => h('span.value', {}, each.value)},
    {
      name: 'Default',
      about: 'what it is where a recipe does not name it; empty where that is the value here',
      value: each => (each.value === each.usual ? '' : each.usual),
      cell: each => (each.value === each.usual ? '' : h('span.dim', {}, each.usual)),
    },
  ]
  put(
    root,
    h(
      'div.title',
      {},
      h('h1', {}, 'Recipe'),
      h('p', {}, 'All settings the run was started with; ', h('code', {}, 'rstar settings NAME'), ' explains one.'),
    ),
    h('section.card', {}, table('recipe', columns, settings, {look: 'recipe-table'})),
  )
  mount()
}
