// A timeline of the server as lanes to draw and as figures to read. Pure.

const VERBS = {__proto__: null, inference: 'generating', executor: 'executing', reward: 'scoring'}
const TRAININGS = {__proto__: null, base: 'convert', bootstrap: 'format', policy: 'policy', ppm: 'PPM'}

/**
 * [{name, about, spans: [{begin, end, tone, words}]}, {name, about, layers: [{tone, words, values}],
 * top, say}, …]: spans have their own times, layers one value a slice, stacked up to `top`.
 */
export function lanesOf(found) {
  return [phaseLane(found), searchLane(found), ...workerLanes(found), commitLane(found), trainerLane(found)]
}

const phaseLane = ({phases}) => ({
  name: 'rounds',
  about: 'what the run was doing',
  spans: phases.map(({kind, round, begin, end}) => ({
    begin,
    end,
    tone: kind,
    words: `${round ? `round ${round}` : 'bootstrap'}: ${kind}`,
  })),
})

function searchLane({generating, executing, scoring, slices}) {
  const sums = Array.from({length: slices}, (_, i) => generating[i] + executing[i] + scoring[i])
  return {
    name: 'searches',
    about: 'how many searches waited for the policy, the executor, the PPM: the mean of each slice',
    layers: [
      {tone: 'generating', words: 'wait for the policy', values: generating},
      {tone: 'executing', words: 'wait for the executor', values: executing},
      {tone: 'scoring', words: 'wait for the PPM', values: scoring},
    ],
    top: Math.max(1, ...sums),
    say: value => `${value.toFixed(1)} searches`,
    tall: true,
  }
}

const workerLanes = ({workers}) =>
  workers.map(({pool, name, busy}) => ({
    name,
    about: `share of its capacity that this ${pool} worker used; the rest is waiting`,
    layers: [{tone: VERBS[pool] ?? 'executing', words: VERBS[pool] ?? 'busy', values: busy}],
    top: 1,
    say: percentOf,
  }))

const commitLane = ({committing}) => ({
  name: 'committing',
  about: 'share of the time in which an expansion waited for its commit to the store',
  layers: [{tone: 'committing', words: 'committing', values: committing}],
  top: 1,
  say: percentOf,
})

function trainerLane({phases, trainings}) {
  const busy = phases.filter(({kind}) => kind === 'training')
  const span = ({begin, end}, tone, words) => ({begin, end, tone, words})
  return {
    name: 'trainer',
    about: 'reading what was found, training, checking and publishing; else waiting',
    spans: [
      ...busy.map(each => span(each, 'preparing', 'reading, checking, publishing')),
      ...trainings.map(each =>
        span(each, 'training', `training: ${TRAININGS[each.kind] ?? each.kind} of round ${each.round}`),
      ),
    ],
  }
}

const percentOf = value => `${(100 * value).toFixed(0)} %`

/** What the shown time was spent on. */
export function summaryOf(found) {
  const {begin, end, phases, generating, executing, scoring, slices, tokens, expansions} = found
  const lengths = new Map()
  for (const span of phases) {
    const seconds = Math.min(end, span.end) - Math.max(begin, span.begin)
    lengths.set(span.kind, (lengths.get(span.kind) ?? 0) + Math.max(0, seconds))
  }
  const slice = (end - begin) / slices
  const searching = tokens.filter(each => each > 0).length * slice
  return {
    phases: [...lengths],
    pools: poolMeans(found.workers),
    searches: waits(generating, executing, scoring),
    tokensPerSecond: searching ? sum(tokens) / searching : 0,
    expansions: sum(expansions),
  }
}

function waits(generating, executing, scoring) {
  const parts = [
    ['the policy', sum(generating), 'generating'],
    ['the executor', sum(executing), 'executing'],
    ['the PPM', sum(scoring), 'scoring'],
  ]
  const all = parts.reduce((total, [, seconds]) => total + seconds, 0)
  return all > 0 ? parts.map(([what, seconds, tone]) => [what, seconds / all, tone]) : null
}

function poolMeans(workers) {
  const pools = new Map()
  for (const {pool, busy} of workers)
    pools.set(pool, [...(pools.get(pool) ?? []), ...busy.filter(share => share !== null)])
  return [...pools].filter(([, busy]) => busy.length).map(([pool, busy]) => [pool, sum(busy) / busy.length])
}

const sum = values => values.reduce((total, value) => total + value, 0)
