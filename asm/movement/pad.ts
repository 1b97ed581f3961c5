/**
 * Padding of up to five axes at once. The outer loops map each output row to an input row, or to none; along a row
 * what lies inside is copied and what lies outside is mapped element by element.
 */
import { endOfRun, offsetOf, tripsOf } from '../loops'
import { firstOf, lastOf, worth } from '../thread'

@unmanaged
export class PadParams {
  mode: u32
  value: f32
  n0: u32
  n1: u32
  n2: u32
  n3: u32
  n4: u32
  m0: u32
  m1: u32
  m2: u32
  m3: u32
  m4: u32
  b0: u32
  b1: u32
  b2: u32
  b3: u32
  b4: u32
  x0: u32
  x1: u32
  x2: u32
  x3: u32
  x4: u32
  y0: u32
  y1: u32
  y2: u32
  y3: u32
  y4: u32
}

const CONSTANT: u32 = 0
const EDGE: u32 = 2
const WRAP: u32 = 3

const NONE: i32 = -1

export function pad(p: PadParams, x: usize, y: usize): void {
  const sizes = changetype<usize>(p) + offsetof<PadParams>('m0')
  const rows = tripsOf(4, sizes)
  const least = worth(p.m4)
  const last = lastOf(rows, least)
  for (let i = firstOf(rows, least); i < last; ) {
    let to = y + offsetOf(i, 4, sizes, changetype<usize>(p) + offsetof<PadParams>('y0'))
    let i3 = i % p.m3
    const outer = i / p.m3
    const s0 = source(p.mode, outer / p.m2 / p.m1 - p.b0, p.n0)
    const s1 = source(p.mode, ((outer / p.m2) % p.m1) - p.b1, p.n1)
    const s2 = source(p.mode, (outer % p.m2) - p.b2, p.n2)
    for (const end = endOfRun(i, p.m3, last); i < end; i++, i3++, to += p.y3 << 2) {
      const s3 = source(p.mode, i3 - p.b3, p.n3)
      if (min(min(s0, s1), min(s2, s3)) == NONE) fill(p, to, p.m4)
      else padRow(p, x + ((s0 * p.x0 + s1 * p.x1 + s2 * p.x2 + s3 * p.x3) << 2), to)
    }
  }
}

/** Where position `at` takes its element from. */
function source(mode: u32, at: i32, size: i32): i32 {
  if (<u32>at < <u32>size) return at
  if (mode == CONSTANT) return NONE
  if (mode == EDGE) return at < 0 ? 0 : size - 1
  const period = mode == WRAP ? size : max(2 * (size - 1), 1)
  let phase = at % period
  if (phase < 0) phase += period
  return phase < size ? phase : period - phase
}

function padRow(p: PadParams, x: usize, y: usize): void {
  const behind = p.b4 + p.n4
  if (p.mode == CONSTANT) {
    fill(p, y, p.b4)
    fill(p, y + ((behind * p.y4) << 2), p.m4 - behind)
  } else {
    outside(p, x, y, 0, p.b4)
    outside(p, x, y, behind, p.m4)
  }
  copy(x, p.x4 << 2, y + ((p.b4 * p.y4) << 2), p.y4 << 2, p.n4)
}

function outside(p: PadParams, x: usize, y: usize, from: u32, to: u32): void {
  for (let i = from; i < to; i++) {
    const at = source(p.mode, i - p.b4, p.n4)
    store<f32>(y + ((i * p.y4) << 2), load<f32>(x + ((at * p.x4) << 2)))
  }
}

function fill(p: PadParams, y: usize, count: u32): void {
  const step = p.y4 << 2
  if (step == 4) {
    const values = f32x4.splat(p.value)
    for (; count >= 4; count -= 4, y += 16) v128.store(y, values)
  }
  for (; count > 0; count--, y += step) store<f32>(y, p.value)
}

function copy(x: usize, xStep: u32, y: usize, yStep: u32, count: u32): void {
  if (xStep == 4 && yStep == 4) for (; count >= 4; count -= 4, x += 16, y += 16) v128.store(y, v128.load(x))
  for (; count > 0; count--, x += xStep, y += yStep) store<f32>(y, load<f32>(x))
}
