/**
 * Updates of lines of elements where indices say. Each line takes its updates in order, and threads divide the lines, so
 * that updates of one place are the same at every number of threads. Neighbouring lines go side by side.
 */
import { endOfRun, offsetOf, tripsOf } from '../loops'
import { firstOf, lastOf, worth } from '../thread'

@unmanaged
export class ScatterParams {
  kind: u32
  size: u32
  count: u32
  iStep: u32
  uStep: u32
  yStep: u32
  k0: u32
  k1: u32
  k2: u32
  k3: u32
  i0: u32
  i1: u32
  i2: u32
  i3: u32
  u0: u32
  u1: u32
  u2: u32
  u3: u32
  y0: u32
  y1: u32
  y2: u32
  y3: u32
}

const NONE: u32 = 0
const ADD: u32 = 1
const MUL: u32 = 2
const MAX: u32 = 3

export function scatter(p: ScatterParams, indices: usize, updates: usize, y: usize): void {
  const sizes = changetype<usize>(p) + offsetof<ScatterParams>('k0')
  const lines = tripsOf(4, sizes)
  const least = worth(p.count)
  const last = lastOf(lines, least)
  for (let line = firstOf(lines, least); line < last; ) {
    const end = endOfRun(line, p.k3, last)
    const from = indices + offsetOf(line, 4, sizes, sizes + 16)
    const update = updates + offsetOf(line, 4, sizes, sizes + 32)
    const to = y + offsetOf(line, 4, sizes, sizes + 48)
    for (let j: u32 = 0; j < p.count; j++)
      sideBySide(p, from + ((j * p.iStep) << 2), update + ((j * p.uStep) << 2), to, end - line)
    line = end
  }
}

/** One update of each of `lines` neighbouring lines. */
function sideBySide(p: ScatterParams, from: usize, update: usize, to: usize, lines: u32): void {
  for (; lines > 0; lines--, from += p.i3 << 2, update += p.u3 << 2, to += p.y3 << 2) {
    let index = <i32>load<f32>(from)
    if (index < 0) index += p.size
    if (<u32>index >= p.size) continue
    const place = to + ((index * p.yStep) << 2)
    store<f32>(place, combined(p.kind, load<f32>(place), load<f32>(update)))
  }
}

function combined(kind: u32, old: f32, update: f32): f32 {
  if (kind == NONE) return update
  if (kind == ADD) return old + update
  if (kind == MUL) return old * update
  return kind == MAX ? max(old, update) : min(old, update)
}
