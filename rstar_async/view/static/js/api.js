// Requests to the server. Every response is JSON; a failure becomes an Error with a message to show.

export class Refused extends Error {
  constructor(status, reason) {
    super(reason)
    this.status = status
  }
}

/** GET api/…; parts of the address are escaped, empty parameters left out. */
export async function ask(parts, parameters = {}, signal) {
  const query = new URLSearchParams()
  for (const [key, value] of Object.entries(parameters))
    if (value !== '' && value !== null && value !== undefined) query.set(key, value)
  const path = parts.map(part => encodeURIComponent(part)).join('/')
  const response = await fetch(`api/${path}${query.size ? `?${query}` : ''}`, {signal})
  if (response.ok) return response.json()
  throw new Refused(response.status, await reason(response))
}

async function reason(response) {
  const text = await response.text()
  try {
    return JSON.parse(text).error
  } catch {
    return text.trim() || `the server said ${response.status}`
  }
}

/** Run `task` periodically until `signal` aborts; skips while the page is hidden or it still runs. */
export function every(seconds, task, signal) {
  let [busy, troubled] = [false, false]
  const report = error => window.dispatchEvent(new CustomEvent('trouble', {detail: error}))
  const tick = async () => {
    if (busy || document.hidden) return
    busy = true
    try {
      await task()
      if (troubled) report(null)
      troubled = false
    } catch (error) {
      troubled = !signal.aborted
      if (troubled) report(error)
    } finally {
      busy = false
    }
  }
  const timer = setInterval(tick, 1000 * seconds)
  signal.addEventListener('abort', () => clearInterval(timer))
}
