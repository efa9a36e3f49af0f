// Numbers and times as people read them.

const WHOLE = new Intl.NumberFormat('en')
const MINUS = '\u2212'

export const count = value => (value === null || value === undefined ? '–' : WHOLE.format(value))

/** 1 rollout, 2 rollouts */
export const plural = (value, noun) => `${count(value)} ${noun}${value === 1 ? '' : 's'}`

/** 12,345 → 12.3 k */
export function short(value) {
  if (value === null || value === undefined) return '–'
  for (const [size, unit] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ])
    if (Math.abs(value) >= size) return `${trim(value / size)} ${unit}`
  return WHOLE.format(value)
}

const trim = value => (value >= 100 ? value.toFixed(0) : value.toFixed(1))

export const percent = (share, digits = 1) =>
  share === null || share === undefined ? '–' : `${(100 * share).toFixed(digits)} %`

/** +0.75 or −0.20 */
export function signed(value, digits = 2) {
  if (value === null || value === undefined) return '–'
  const text = Math.abs(value).toFixed(digits)
  return (value < 0 && Number(text) !== 0 ? MINUS : '+') + text
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return '–'
  if (seconds < 1) return `${Math.round(1000 * seconds)} ms`
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`
}

export const when = seconds =>
  seconds
    ? new Date(1000 * seconds).toLocaleString([], {dateStyle: 'medium', timeStyle: 'short'})
    : '–'

/** Any JSON value in a table of facts. */
export function fact(value) {
  if (typeof value === 'number')
    return Number.isInteger(value) ? count(value) : String(+value.toPrecision(4))
  if (value === null || value === undefined) return '–'
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

export const q = node => (node.visits ? node.value_sum / node.visits : null)
