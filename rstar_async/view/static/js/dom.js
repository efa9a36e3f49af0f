// Building the page. Text from outside only ever becomes a text node, never markup: there is no
// innerHTML in these files, and the page's policy (Trusted Types) would make one throw.

const SVG = 'http://www.w3.org/2000/svg'

/** An element: h('a.link', {href: '#/'}, 'text', child, null). Functions named on… are listeners. */
export function h(name, properties = {}, ...children) {
  const [tag, ...classes] = name.split('.')
  return fill(document.createElement(tag || 'div'), classes, properties, children)
}

/** The same for SVG. */
export function svg(name, properties = {}, ...children) {
  const [tag, ...classes] = name.split('.')
  return fill(document.createElementNS(SVG, tag), classes, properties, children)
}

function fill(element, classes, properties, children) {
  element.classList.add(...classes)
  for (const [key, value] of Object.entries(properties)) set(element, key, value)
  append(element, children)
  return element
}

function set(element, key, value) {
  if (value === null || value === undefined || value === false) return
  if (key.startsWith('on')) element.addEventListener(key.slice(2), value)
  else if (key === 'value') element.value = value
  else if (key === 'vars')
    for (const [name, each] of Object.entries(value)) element.style.setProperty(name, each)
  else element.setAttribute(key, value === true ? '' : String(value))
}

export function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue
    element.append(child instanceof Node ? child : String(child))
  }
}

/** Empty `element` and put these in. */
export function put(element, ...children) {
  element.replaceChildren()
  append(element, children)
}

/** `put`, but keeps the focus on the same link, or on the field of the same label. */
export function repaint(element, ...children) {
  const before = element.contains(document.activeElement) ? document.activeElement : null
  put(element, ...children)
  const name = before?.hasAttribute('href') ? 'href' : 'aria-label'
  const value = before?.getAttribute(name)
  if (!value) return
  const same = each => each.getAttribute(name) === value
  ;[...element.querySelectorAll(before.tagName)].find(same)?.focus()
}

/** A link within the page. */
export const link = (href, ...children) => h('a', {href}, ...children)

/** A coloured label: status, kind, split. */
export const chip = (word, tone = 'plain', title) => h(`span.chip.${tone}`, {title}, word)

export function select(label, value, options, change) {
  const list = options.map(([key, text]) =>
    h('option', {value: key, selected: key === value}, text),
  )
  return h(
    'label.field',
    {},
    h('span', {}, label),
    h('select', {onchange: event => change(event.target.value)}, list),
  )
}

/** A choice between a few options, as buttons in a row. */
export function switcher(label, value, options, change) {
  const button = ([key, text]) =>
    h(
      'button',
      {type: 'button', 'aria-pressed': String(key === value), onclick: () => change(key)},
      text,
    )
  return h('div.switcher', {role: 'group', 'aria-label': label}, options.map(button))
}

export const empty = (...words) => h('p.empty', {}, ...words)
