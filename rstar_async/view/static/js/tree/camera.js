// Which part of the drawing is on screen: pan and zoom, by wheel, drag, pinch and keys.

const LEAST = 0.002
const MOST = 2
const WIDEST = 0.3

export class Camera {
  constructor(canvas, {moved, clicked}) {
    Object.assign(this, {
      canvas,
      moved,
      x: 0,
      y: 0,
      scale: 1,
      wide: 0,
      pointers: new Map(),
      travelled: 0,
    })
    canvas.addEventListener('wheel', event => this.#wheel(event), {passive: false})
    canvas.addEventListener('pointerdown', event => this.#down(event))
    canvas.addEventListener('pointermove', event => this.#move(event))
    canvas.addEventListener('pointerup', event => this.#up(event, clicked))
    canvas.addEventListener('pointercancel', event => this.pointers.delete(event.pointerId))
  }

  get size() {
    return {width: this.canvas.clientWidth, height: this.canvas.clientHeight}
  }

  /** Across. A tree much higher than wide is stretched, so that it can be seen whole. */
  get scaleX() {
    return Math.max(this.scale, this.wide)
  }

  /** From the screen to the drawing. */
  at(x, y) {
    return {x: (x - this.x) / this.scaleX, y: (y - this.y) / this.scale}
  }

  zoom(factor, x = this.size.width / 2, y = this.size.height / 2) {
    const scale = Math.min(MOST, Math.max(LEAST, this.scale * factor))
    const point = this.at(x, y)
    this.scale = scale
    this.x = x - point.x * this.scaleX
    this.y = y - point.y * scale
    this.moved()
  }

  pan(dx, dy) {
    this.x += dx
    this.y += dy
    this.moved()
  }

  /** Show the whole drawing; what is larger than the screen from its beginning. */
  fit({width, height}, least = LEAST) {
    const margin = 24
    const size = this.size
    const scale = Math.min(
      1,
      (size.width - 2 * margin) / width,
      (size.height - 2 * margin) / height,
    )
    this.scale = Math.max(least, scale)
    this.wide = Math.min(WIDEST, (size.width - 2 * margin) / width)
    this.x = margin
    this.y = (size.height - height * this.scale) / 2
    this.moved()
  }

  /** Put a height of the drawing into the middle, if the drawing does not fit. */
  centre(y) {
    this.y = this.size.height / 2 - y * this.scale
    this.moved()
  }

  /** Bring a box of the drawing to the middle of the screen, along each axis on which it is off. */
  include({x, y, width, height}) {
    const size = this.size
    const [left, top] = [this.x + x * this.scaleX, this.y + y * this.scale]
    this.pan(
      inwards(left, width * this.scaleX, size.width, 0.72),
      inwards(top, height * this.scale, size.height, 0.5),
    )
  }

  #wheel(event) {
    event.preventDefault()
    const {left, top} = this.canvas.getBoundingClientRect()
    if (event.ctrlKey || event.metaKey)
      this.zoom(Math.exp(-event.deltaY / 150), event.clientX - left, event.clientY - top)
    else if (event.shiftKey) this.pan(-event.deltaY, 0)
    else this.pan(-event.deltaX, -event.deltaY)
  }

  #down(event) {
    this.canvas.setPointerCapture(event.pointerId)
    this.pointers.set(event.pointerId, {x: event.offsetX, y: event.offsetY})
    if (this.pointers.size === 1) this.travelled = 0
  }

  #move(event) {
    const before = this.pointers.get(event.pointerId)
    if (!before) return
    const now = {x: event.offsetX, y: event.offsetY}
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1]
    this.pointers.set(event.pointerId, now)
    this.travelled += Math.abs(now.x - before.x) + Math.abs(now.y - before.y)
    if (!other) return this.pan(now.x - before.x, now.y - before.y)
    this.zoom(
      distance(now, other) / (distance(before, other) || 1),
      (now.x + other.x) / 2,
      (now.y + other.y) / 2,
    )
  }

  #up(event, clicked) {
    if (this.pointers.delete(event.pointerId) && this.travelled < 6 && !this.pointers.size)
      clicked(this.at(event.offsetX, event.offsetY))
  }
}

/** How far to move what begins at `from` so that it is seen: not at all, or to `share` of the room. */
function inwards(from, length, room, share) {
  const margin = 24
  if (from >= margin && from + length <= room - margin) return 0
  return share * room - length / 2 - from
}

const distance = (a, b) => Math.hypot(a.x - b.x, a.y - b.y)
