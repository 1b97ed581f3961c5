/** Where the elements of a tensor are not 0. Each place depends on all in front of it, so that one thread writes them. */
import { firstOf, lastOf } from '../thread'

@unmanaged
export class NonZeroParams {
  rank: u32
  d0: u32
  d1: u32
  d2: u32
  d3: u32
  d4: u32
  d5: u32
}

const DEPTH: u32 = 6

export function nonZero(p: NonZeroParams, x: usize, y: usize, count: usize): void {
  if (firstOf(1, 1) == lastOf(1, 1)) return
  const room = p.d0 * p.d1 * p.d2 * p.d3 * p.d4 * p.d5
  let found: u32 = 0
  for (let i: u32 = 0; i < room; i++) {
    if (load<f32>(x + (i << 2)) == 0) continue
    storePlace(p, i, y + (found << 2), room << 2)
    found++
  }
  for (let row: u32 = 0; row < p.rank; row++) memory.fill(y + ((row * room + found) << 2), 0, (room - found) << 2)
  store<f32>(count, <f32>found)
}

/** The positions of element `i`, the innermost in the last row. */
function storePlace(p: NonZeroParams, i: u32, to: usize, bytes: usize): void {
  const sizes = changetype<usize>(p) + offsetof<NonZeroParams>('d0')
  for (let row = p.rank; row > 0; row--) {
    const size = load<u32>(sizes + ((DEPTH + row - p.rank - 1) << 2))
    store<f32>(to + <usize>(row - 1) * bytes, <f32>(i % size))
    i /= size
  }
}
