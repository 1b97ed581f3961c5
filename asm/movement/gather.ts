import { firstOf, lastOf, worth } from '../thread'

/** Rows picked by index, which is clamped to the table so that no index reads outside it. */
@unmanaged
export class GatherParams {
  outer: u32
  size: u32
  inner: u32
  count: u32
}

export function gather(p: GatherParams, x: usize, indices: usize, y: usize): void {
  if (!p.size) return
  const bytes = p.inner << 2
  const rows = p.outer * p.count
  const least = worth(p.inner)
  const last = lastOf(rows, least)
  for (let row = firstOf(rows, least); row < last; row++) {
    let index = <i32>load<f32>(indices + ((row % p.count) << 2))
    if (index < 0) index += p.size
    const from = x + ((row / p.count) * p.size + min(max(index, 0), <i32>p.size - 1)) * bytes
    const to = y + row * bytes
    let i: u32 = 0
    for (; i + 16 <= bytes; i += 16) v128.store(to + i, v128.load(from + i))
    for (; i < bytes; i += 4) store<f32>(to + i, load<f32>(from + i))
  }
}
