// Where the time goes: lanes of the rounds, the searches, each worker and the trainer over one axis of
// time. The address holds the part that is shown: begin and end.

import {ask, every} from '../api.js'
import {chip, empty, h, put} from '../dom.js'
import {count, duration, percent, short} from '../format.js'
import {viewKeys} from '../keys.js'
import {note, to} from '../router.js'
import {Lanes} from '../time/lanes.js'
import {lanesOf, summaryOf} from '../time/model.js'

const LIVE_SECONDS = 5

export async function show(root, {run, query, signal, mount}) {
  const view = new TimeView(root, run, query, signal)
  await view.load()
  mount()
  view.start()
}

class TimeView {
  constructor(root, run, {begin, end}, signal) {
    Object.assign(this, {root, run, signal, begin, end})
    this.summary = h('section.card.time-summary', {'aria-label': 'summary'})
    this.range = h('span.dim', {})
    this.pane = h('section.card.lanes', {'aria-label': 'lanes'})
    this.lanes = new Lanes(this.pane, (from, until) => this.zoom(from, until), signal)
    const tool = (words, title, action) =>
      h('button', {type: 'button', title, 'aria-label': title, onclick: action}, words)
    const about =
      'Drag over the lanes to look closer. What is not coloured is waiting: a lane that is pale while ' +
      'another is full waits for that one.'
    put(
      root,
      h('div.title', {}, h('h1', {}, 'Where the time goes'), h('p', {}, about)),
      h(
        'div.filters',
        {},
        tool('−', 'twice as long (-)', () => this.scale(2)),
        tool('+', 'half as long (+)', () => this.scale(0.5)),
        tool('whole run', 'the whole run (0)', () => this.zoom()),
        this.range,
      ),
      this.summary,
      this.pane,
    )
  }

  start() {
    viewKeys(
      [
        ['+', 'zoom', () => this.scale(0.5)],
        ['-', 'zoom', () => this.scale(2)],
        ['0', 'the whole run', () => this.zoom()],
        ['ArrowLeft', 'earlier, later', () => this.shift(-0.5)],
        ['ArrowRight', 'earlier, later', () => this.shift(0.5)],
      ],
      this.signal,
    )
    every(LIVE_SECONDS, () => this.follow(), this.signal)
  }

  async load() {
    const {begin, end} = this
    try {
      this.found = await ask(['runs', this.run, 'time'], {begin, end}, this.signal)
    } catch (error) {
      if (error.status !== 404) throw error
      return put(this.pane, empty('The run has not begun its first round yet.'))
    }
    this.paint()
  }

  /** A run that goes on is followed as long as its end is on screen. */
  async follow() {
    if (!this.found) return this.load()
    const goesOn = Date.now() / 1000 - this.found.last < 3 * LIVE_SECONDS
    if (goesOn && (this.end === undefined || this.end >= this.found.last)) await this.load()
  }

  zoom(begin, end) {
    Object.assign(this, {begin, end})
    note(to(this.run, 'time', [], {begin, end}))
    this.load().catch(error => window.dispatchEvent(new CustomEvent('trouble', {detail: error})))
  }

  scale(factor) {
    const {begin, end} = this.found
    const [middle, half] = [(begin + end) / 2, Math.max(5, (factor * (end - begin)) / 2)]
    this.within(middle - half, middle + half)
  }

  shift(share) {
    const {begin, end} = this.found
    this.within(begin + share * (end - begin), end + share * (end - begin))
  }

  /** Show this part, moved to where the run has something. */
  within(begin, end) {
    const {first, last} = this.found
    const length = end - begin
    if (length >= last - first) return this.zoom()
    const from = Math.min(Math.max(begin, first), last - length)
    this.zoom(Number(from.toFixed(1)), Number((from + length).toFixed(1)))
  }

  paint() {
    const {found} = this
    const {begin, end, first, slices} = found
    put(
      this.range,
      `${duration(begin - first)} to ${duration(end - first)} after the start, `,
      `${duration((end - begin) / slices)} a slice`,
    )
    put(this.summary, facts(summaryOf(found)))
    this.lanes.paint(found, lanesOf(found))
  }
}

function facts({phases, pools, searches, tokensPerSecond, expansions}) {
  const fact = (name, value, about) => h('div', {title: about}, h('dt', {}, name), h('dd', {}, value))
  return [
    h(
      'dl.figures',
      {},
      phases.map(([kind, seconds]) => fact(kind, duration(seconds), 'of the time that is shown')),
      pools.map(([pool, busy]) =>
        fact(`${pool} busy`, percent(busy, 0), `mean share of its capacity that the ${pool} pool used`),
      ),
      fact('tokens/s', short(Math.round(tokensPerSecond)), 'sampled in trees, while searches went on'),
      fact('expansions', count(expansions), 'complete in this time'),
    ),
    searches && h('p.dim', {}, 'Searches waited ', searches.map(([what, share, tone]) => [
      chip(`${percent(share, 0)} for ${what}`, tone), ' ',
    ])),
    pools.length === 0 &&
      h(
        'p.dim',
        {},
        'Workers are not shown: this run was made by an older version, or its folder is not known.',
      ),
  ]
}
