// The pools of a running system as their brokers see them now.

import {ask, every} from '../api.js'
import {chip, empty, h, repaint} from '../dom.js'
import {count, duration} from '../format.js'
import {table} from '../table.js'

const LIVE_SECONDS = 2
const QUIET_SECONDS = 10

export async function show(root, {signal, mount}) {
  const refresh = async () => paint(root, await ask(['pools'], {}, signal))
  await refresh()
  mount()
  every(LIVE_SECONDS, refresh, signal)
}

function paint(root, {running, reason, pools}) {
  repaint(
    root,
    h('div.title', {}, h('h1', {}, 'Workers')),
    running
      ? h(
          'section.pools',
          {},
          Object.entries(pools).map(([name, status]) => card(name, status)),
        )
      : empty('There are no workers: ', reason, '.'),
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
      ? table(`workers of ${name}`, COLUMNS, status.workers)
      : empty('No worker has come yet.'),
  )
}

const COLUMNS = [
  {name: 'Worker', value: each => each.name, cell: each => h('code', {}, each.name)},
  {
    name: 'Busy',
    about: 'jobs that run here now, of how many may',
    value: each => each.running,
    cell: busy,
  },
  {
    name: 'State',
    about: 'well, silent for some time, or quarantined: it did several jobs wrongly and gets none',
    value: each => each.quarantine_seconds || Math.floor(each.silent_seconds / QUIET_SECONDS),
    cell: state,
  },
]

function busy({running, capacity}) {
  const title = `${running} of ${capacity}`
  return [h('progress', {max: capacity || 1, value: running, title}), ` ${running} / ${capacity}`]
}

function state({quarantine_seconds: quarantined, silent_seconds: silent}) {
  if (quarantined) return chip(`quarantined ${duration(quarantined)}`, 'bad')
  return silent > QUIET_SECONDS ? chip(`silent ${duration(silent)}`, 'bad') : 'well'
}
