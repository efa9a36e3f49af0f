// Colours for Python as models write it: comments, strings, numbers, keywords, names that are called,
// and the tags around steps. Returns a fragment of spans; every character of the text is kept.

import {h} from './dom.js'

const KEYWORDS = new Set(
  (
    'False None True and as assert break class continue def del elif else except finally for from ' +
    'global if import in is lambda nonlocal not or pass raise return try while with yield'
  ).split(' '),
)
const TOKEN = new RegExp(
  [
    '(?<tag></?[a-z_]+>)',
    '(?<comment>#[^\\n]*)',
    '(?<string>[rbfRBF]{0,2}(?:"""[\\s\\S]*?(?:"""|$)|\'\'\'[\\s\\S]*?(?:\'\'\'|$)|"(?:\\\\.|[^"\\\\\\n])*"?|\'(?:\\\\.|[^\'\\\\\\n])*\'?))',
    '(?<number>\\b\\d[\\d_]*\\.?\\d*(?:[eE][+-]?\\d+)?)',
    '(?<name>[A-Za-z_]\\w*)',
  ].join('|'),
  'gu',
)
const TAGS = /^<\/?(code|answer|output|end_of_[a-z]+)>$/

/** The text with its colours, for a <pre>. */
export function highlight(text) {
  const fragment = document.createDocumentFragment()
  let end = 0
  for (const match of text.matchAll(TOKEN)) {
    const tone = toneOf(match, text)
    if (!tone) continue
    if (match.index > end) fragment.append(text.slice(end, match.index))
    fragment.append(h(`span.${tone}`, {}, match[0]))
    end = match.index + match[0].length
  }
  fragment.append(text.slice(end))
  return fragment
}

function toneOf(match, text) {
  const {tag, comment, string, number, name} = match.groups
  if (tag) return TAGS.test(tag) ? 'hl-tag' : null
  if (comment) return 'hl-comment'
  if (string) return 'hl-string'
  if (number) return 'hl-number'
  if (KEYWORDS.has(name)) return 'hl-keyword'
  return text[match.index + name.length] === '(' ? 'hl-call' : null
}

/** A step without the tags around it. */
export function bare(text) {
  return text.replace(/<\/?(?:code|end_of_[a-z]+)>/g, '').replace(/^\n+|\s+$/g, '')
}

/** The first words of a step: its comment, or its first line. */
export function headline(snippet) {
  const text = bare(snippet).replace(/<\/?[a-z_]+>/g, '')
  const comment = text.match(/^\s*#+\s*(.+)$/m)
  return (comment ? comment[1] : text.split('\n')[0]).trim()
}

/** Code in a box. `plain`: output or an error, without colours. */
export function code(text, {plain = false, label = ''} = {}) {
  const body = h(plain ? 'pre.code.output' : 'pre.code', {
    tabindex: '0',
    'aria-label': label || 'code',
  })
  body.append(plain ? text : highlight(text))
  return body
}
