/**
 * Boxes of each class that no better one overlaps: a heap of the candidates gives them best first, as far as they are
 * wanted, and each is compared with those that are picked.
 */
import { firstOf, lastOf, worth } from '../thread'

@unmanaged
export class NmsParams {
  lines: u32
  classes: u32
  boxes: u32
  most: u32
  centered: u32
  limited: u32
  overlap: f32
  limit: f32
}

@unmanaged
export class NmsRowsParams {
  lines: u32
  classes: u32
  most: u32
}

export function nms(p: NmsParams, corners: usize, scores: usize, picked: usize, counts: usize, scratch: usize): void {
  const least = worth(8 * p.boxes)
  const last = lastOf(p.lines, least)
  for (let line = firstOf(p.lines, least); line < last; line++) {
    const own = scores + ((line * p.boxes) << 2)
    const size = candidates(p, own, scratch)
    const found = pick(
      p,
      corners + (((line / p.classes) * p.boxes) << 4),
      own,
      scratch,
      size,
      picked + ((line * p.most) << 2)
    )
    store<f32>(counts + (line << 2), <f32>found)
  }
}

export function nmsRows(p: NmsRowsParams, picked: usize, counts: usize, y: usize, count: usize): void {
  // Where a row goes depends on all in front of it, so that one thread writes them.
  if (firstOf(1, 1) == lastOf(1, 1)) return
  let rows: u32 = 0
  for (let line: u32 = 0; line < p.lines; line++) {
    const found = min(<u32>load<f32>(counts + (line << 2)), p.most)
    for (let i: u32 = 0; i < found; i++, rows++) {
      const to = y + rows * 12
      store<f32>(to, <f32>(line / p.classes))
      store<f32>(to, <f32>(line % p.classes), 4)
      store<f32>(to, load<f32>(picked + ((line * p.most + i) << 2)), 8)
    }
  }
  memory.fill(y + rows * 12, 0, (p.lines * p.most - rows) * 12)
  store<f32>(count, <f32>rows)
}

/** Fills `heap` with the boxes whose scores count, the best on top; returns how many. */
function candidates(p: NmsParams, scores: usize, heap: usize): u32 {
  let size: u32 = 0
  for (let box: u32 = 0; box < p.boxes; box++) {
    const score = load<f32>(scores + (box << 2))
    if (p.limited ? !(score > p.limit) : score != score) continue
    store<u32>(heap + (size << 2), box)
    size++
  }
  for (let at = <i32>(size >> 1) - 1; at >= 0; at--) sink(scores, heap, at, size, load<u32>(heap + (at << 2)))
  return size
}

/** Takes the best as long as more are wanted; returns how many are picked. */
function pick(p: NmsParams, corners: usize, scores: usize, heap: usize, size: u32, picked: usize): u32 {
  let found: u32 = 0
  while (size > 0 && found < p.most) {
    const box = load<u32>(heap)
    size--
    sink(scores, heap, 0, size, load<u32>(heap + (size << 2)))
    let alone = true
    for (let i: u32 = 0; i < found && alone; i++) {
      alone = !overlaps(p, corners + (box << 4), corners + ((<u32>load<f32>(picked + (i << 2))) << 4))
    }
    if (!alone) continue
    store<f32>(picked + (found << 2), <f32>box)
    found++
  }
  return found
}

/** Puts a box where `at` is free or below, so that none below another is better. */
function sink(scores: usize, heap: usize, at: u32, size: u32, box: u32): void {
  for (;;) {
    let child: u32 = 2 * at + 1
    if (child >= size) break
    let other = load<u32>(heap + (child << 2))
    if (child + 1 < size) {
      const next = load<u32>(heap + (child << 2), 4)
      if (isBetter(scores, next, other)) {
        child++
        other = next
      }
    }
    if (isBetter(scores, box, other)) break
    store<u32>(heap + (at << 2), other)
    at = child
  }
  if (at < size) store<u32>(heap + (at << 2), box)
}

/** Of boxes of equal scores the first. */
function isBetter(scores: usize, a: u32, b: u32): bool {
  const left = load<f32>(scores + (a << 2))
  const right = load<f32>(scores + (b << 2))
  return left > right || (left == right && a < b)
}

/** Whether the common part of two boxes is more of what both cover than is allowed. */
function overlaps(p: NmsParams, a: usize, b: usize): bool {
  const lows = f32x4.max(low(p, a), low(p, b))
  const highs = f32x4.min(high(p, a), high(p, b))
  const sides = f32x4.sub(highs, lows)
  const side0 = f32x4.extract_lane(sides, 0)
  const side1 = f32x4.extract_lane(sides, 1)
  if (!(side0 > 0 && side1 > 0)) return false
  const shared = side0 * side1
  const areaA = area(p, a)
  const areaB = area(p, b)
  const all = areaA + areaB - shared
  if (!(areaA > 0 && areaB > 0 && all > 0)) return false
  return shared / all > p.overlap
}

function area(p: NmsParams, box: usize): f32 {
  const sides = f32x4.sub(high(p, box), low(p, box))
  return f32x4.extract_lane(sides, 0) * f32x4.extract_lane(sides, 1)
}

/** The lower corner in the first two lanes. */
function low(p: NmsParams, box: usize): v128 {
  const front = v128.load64_zero(box)
  const back = v128.load64_zero(box, 8)
  if (p.centered) return f32x4.sub(front, f32x4.mul(back, f32x4.splat(0.5)))
  return f32x4.min(front, back)
}

function high(p: NmsParams, box: usize): v128 {
  const front = v128.load64_zero(box)
  const back = v128.load64_zero(box, 8)
  if (p.centered) return f32x4.add(front, f32x4.mul(back, f32x4.splat(0.5)))
  return f32x4.max(front, back)
}
