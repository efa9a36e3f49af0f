// Where each visible node is drawn: depth to the right, siblings close together, parents beside the
// middle of their children. A subtree is known by its outline, the topmost and lowest box of each
// depth, and moves down beside the one before it until no two boxes of a depth touch. Pure.

export const BOX = {width: 212, height: 40}
const LEAST_WIDTH = 66
const ROW = BOX.height + 9

/** Between two columns: deep trees have narrow boxes close together. */
const gap = width => Math.round(12 + 0.16 * width)

/** The widest boxes with which `columns` of them take no more than `room`. */
export function boxWidth(columns, room) {
  const width = Math.floor((room / columns - 12) / 1.16)
  return Math.max(LEAST_WIDTH, Math.min(BOX.width, width))
}

/** [{node, x, y, width, parent}] with the parent's placement, and the size of it all. `isOpen` says
    of which nodes the children are drawn. */
export function layout(tree, width = BOX.width, isOpen = node => !tree.isFolded(node)) {
  const root = tree.nodes.get('0')
  if (!root) return {placed: [], width, height: ROW}
  const whole = arrange(tree, root, isOpen)
  const top = Math.min(...whole.tops)
  const placed = []
  const column = width + gap(width)
  settle(whole, null, -top, 0, placed, width, column)
  const across = column * (whole.tops.length - 1) + width
  return {placed, width: across, height: Math.max(...whole.bottoms) - top + BOX.height}
}

/** A subtree whose own box is at 0: its parts with their shifts, and its outline by depth. */
function arrange(tree, node, isOpen) {
  const children = isOpen(node) ? tree.shownChildren(node) : []
  const [parts, tops, bottoms] = [[], [], []]
  for (const child of children) {
    const part = arrange(tree, child, isOpen)
    part.shift = clearance(bottoms, part.tops)
    merge(tops, bottoms, part)
    parts.push(part)
  }
  const middle = parts.length ? (parts[0].shift + parts.at(-1).shift) / 2 : 0
  for (const part of parts) part.shift -= middle
  const lower = outline => [0, ...outline.map(y => y - middle)]
  return {node, parts, shift: 0, tops: lower(tops), bottoms: lower(bottoms)}
}

/** How far down the next part must go to clear those before it. */
function clearance(bottoms, tops) {
  let shift = bottoms.length ? -Infinity : 0
  for (let depth = 0; depth < Math.min(bottoms.length, tops.length); depth += 1)
    shift = Math.max(shift, bottoms[depth] + ROW - tops[depth])
  return shift
}

function merge(tops, bottoms, {shift, tops: newTops, bottoms: newBottoms}) {
  newTops.forEach((top, depth) => {
    tops[depth] = Math.min(tops[depth] ?? Infinity, top + shift)
    bottoms[depth] = Math.max(bottoms[depth] ?? -Infinity, newBottoms[depth] + shift)
  })
}

function settle({node, parts}, parent, y, depth, placed, width, column) {
  const own = {node, parent, x: column * depth, y, width}
  placed.push(own)
  for (const part of parts) settle(part, own, y + part.shift, depth + 1, placed, width, column)
}
