/**
 * The best elements along one axis in order: a heap of as many as are wanted, its worst on top, which one comparison
 * guards against most elements; then taken apart from the worst to the best.
 */
import { offsetOf, tripsOf } from '../loops'
import { firstOf, lastOf, worth } from '../thread'

@unmanaged
export class TopkParams {
  largest: u32
  count: u32
  taken: u32
  step: u32
  yStep: u32
  k0: u32
  k1: u32
  k2: u32
  k3: u32
  x0: u32
  x1: u32
  x2: u32
  x3: u32
  y0: u32
  y1: u32
  y2: u32
  y3: u32
}

export function topk(p: TopkParams, x: usize, y: usize, places: usize, scratch: usize): void {
  const sizes = changetype<usize>(p) + offsetof<TopkParams>('k0')
  const rows = tripsOf(4, sizes)
  const least = worth(8 * p.count)
  const last = lastOf(rows, least)
  for (let row = firstOf(rows, least); row < last; row++) {
    const from = x + offsetOf(row, 4, sizes, sizes + 16)
    const to = offsetOf(row, 4, sizes, sizes + 32)
    collect(p, from, scratch)
    for (let left = p.taken; left > 0; left--) {
      const place = placeOf(scratch)
      const at = to + (((left - 1) * p.yStep) << 2)
      store<f32>(y + at, load<f32>(from + ((place * p.step) << 2)))
      store<f32>(places + at, <f32>place)
      const lowest = scratch + ((left - 1) << 3)
      sink(scratch, 0, left - 1, keyOf(lowest), placeOf(lowest))
    }
  }
}

/** Makes a heap of the best; entries are a key and a place. */
function collect(p: TopkParams, x: usize, heap: usize): void {
  const step = p.step << 2
  const flip = p.largest ? 0 : -1
  let i: u32 = 0
  for (; i < p.taken; i++, x += step) put(heap, i, key(load<i32>(x)) ^ flip, i)
  for (let at = <i32>(p.taken >> 1) - 1; at >= 0; at--) {
    const entry = heap + (at << 3)
    sink(heap, at, p.taken, keyOf(entry), placeOf(entry))
  }
  // Of equal ones the first is better, so that a later one has to be larger.
  for (; i < p.count; i++, x += step) {
    const next = key(load<i32>(x)) ^ flip
    if (next > keyOf(heap)) sink(heap, 0, p.taken, next, i)
  }
}

/** Bits of a float as an integer of the same order; zeros are equal and NaN is the largest. */
function key(bits: i32): i32 {
  const size = bits & 0x7fffffff
  if (size > 0x7f800000) return i32.MAX_VALUE
  return bits < 0 ? -size : bits
}

function keyOf(entry: usize): i32 {
  return load<i32>(entry)
}

function placeOf(entry: usize): u32 {
  return load<u32>(entry, 4)
}

function put(heap: usize, at: u32, key: i32, place: u32): void {
  store<i32>(heap + (at << 3), key)
  store<u32>(heap + (at << 3), place, 4)
}

/** Puts an entry where `at` is free or below, so that nothing below an entry is worse than it. */
function sink(heap: usize, at: u32, size: u32, key: i32, place: u32): void {
  for (;;) {
    let child: u32 = 2 * at + 1
    if (child >= size) break
    let entry = heap + (child << 3)
    if (child + 1 < size && isWorse(keyOf(entry + 8), placeOf(entry + 8), keyOf(entry), placeOf(entry))) {
      child++
      entry += 8
    }
    if (isWorse(key, place, keyOf(entry), placeOf(entry))) break
    put(heap, at, keyOf(entry), placeOf(entry))
    at = child
  }
  put(heap, at, key, place)
}

function isWorse(key: i32, place: u32, otherKey: i32, otherPlace: u32): bool {
  return key < otherKey || (key == otherKey && place > otherPlace)
}
