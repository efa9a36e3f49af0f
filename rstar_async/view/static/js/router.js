// Addresses: #/RUN/VIEW/PART/…?key=value. Whatever is on screen can be linked to.

/** {run, view, parts, query} of the address. */
export function route() {
  const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?')
  const [run = '', view = 'rounds', ...parts] = path.split('/').filter(Boolean).map(decode)
  return {run, view, parts, query: Object.fromEntries(new URLSearchParams(query))}
}

function decode(text) {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The address of a view. */
export function to(run, view, parts = [], query = {}) {
  const path = [run, view, ...parts].map(encodeURIComponent).join('/')
  const kept = Object.entries(query).filter(
    ([, value]) => value !== '' && value !== null && value !== undefined,
  )
  return `#/${path}${kept.length ? `?${new URLSearchParams(kept)}` : ''}`
}

export const go = href => {
  location.hash = href.slice(1)
}

/** Change the address without a new page in the history and without redrawing. */
export function note(href) {
  history.replaceState(null, '', href)
}
