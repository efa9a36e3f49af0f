// The pools of a running system as their brokers see them now.

import {ask, every} from '../api.js'
import {chip, empty, h, put} from '../dom.js'
import {count, duration} from '../format.js'

const LIVE_SECONDS = 2
const QUIET_SECONDS = 10

export async function show(root, {signal, mount}) {
  const refresh = async () => paint(root, await ask(['pools'], {}, signal))
  await refresh()
  mount()
  every(LIVE_SECONDS, refresh, signal)
}

function paint(root, {running, reason, pools}) {
  put(
    root,
    h('div.title', {}, h('h1', {}, 'Workers')),
    running
      ? h(
          'section.pools',
          {},
          Object.entries(pools).map(([name, status]) => card(name, status)),
        )
      : empty('No run is going on here: ', reason, '.'),
  )
}

function card(name, status) {
  if (!status)
    return h('article.card.pool', {}, h('header', {}, h('h2', {}, name), chip('no answer', 'bad')))
  const capacity = status.workers.reduce((sum, each) => sum + each.capacity, 0)
  const {counters} = status
  const figure = (word, value, bad) =>
    h(bad && value ? 'div.warn' : 'div', {}, h('dt', {}, word), h('dd', {}, count(value)))
  return h(
    'article.card.pool',
    {},
    h('header', {}, h('h2', {}, name), chip(`up ${duration(status.uptime_seconds)}`)),
    h(
      'dl.figures',
      {},
      figure('queued', status.queued),
      figure('leased', status.leased),
      figure('capacity', capacity),
      figure('finished', counters.finished),
      figure('deaths', counters.deaths, true),
      figure('redelivered', counters.redelivered, true),
      figure('dead letters', counters.dead, true),
      figure('rejected', counters.rejected, true),
    ),
    status.workers.length
      ? h('div.scroll', {}, workerTable(status.workers))
      : empty('No worker has come yet.'),
  )
}

function workerTable(workers) {
  const row = each =>
    h(
      'tr',
      {},
      h('td', {}, h('code', {}, each.name)),
      h(
        'td',
        {},
        h('progress', {
          max: each.capacity || 1,
          value: each.running,
          title: `${each.running} of ${each.capacity}`,
        }),
        ` ${each.running} / ${each.capacity}`,
      ),
      h(
        'td.number',
        {},
        each.quarantine_seconds
          ? chip(`quarantined ${duration(each.quarantine_seconds)}`, 'bad')
          : each.silent_seconds > QUIET_SECONDS
            ? chip(`silent ${duration(each.silent_seconds)}`, 'bad')
            : 'well',
      ),
    )
  return h(
    'table.rows',
    {},
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        ['Worker', 'Busy', ''].map(name => h('th', {scope: 'col'}, name)),
      ),
    ),
    h('tbody', {}, workers.map(row)),
  )
}
