/** Determinants by elimination with pivots, a matrix after the other in the thread's own memory. */
import { firstOf, lastOf, worth } from '../thread'

@unmanaged
export class DetParams {
  count: u32
  size: u32
}

export function det(p: DetParams, x: usize, y: usize, work: usize): void {
  const bytes = (p.size * p.size) << 2
  const least = worth(p.size * p.size * p.size)
  const last = lastOf(p.count, least)
  for (let i = firstOf(p.count, least); i < last; i++) {
    memory.copy(work, x + i * bytes, bytes)
    store<f32>(y + (i << 2), eliminated(work, p.size))
  }
}

/** The product of the pivots, of which each that another row has turns the sign. */
function eliminated(a: usize, size: u32): f32 {
  const row = size << 2
  let product: f32 = 1
  for (let k: u32 = 0; k < size; k++) {
    const own = a + k * row
    const best = a + largestOf(a, size, k) * row
    const pivot = load<f32>(best + (k << 2))
    product *= best == own ? pivot : -pivot
    if (pivot == 0) break
    for (let at = k << 2; at < row; at += 4) {
      const moved = load<f32>(own + at)
      store<f32>(own + at, load<f32>(best + at))
      store<f32>(best + at, moved)
    }
    for (let below = own + row; below < a + size * row; below += row) {
      const factor = load<f32>(below + (k << 2)) / pivot
      for (let at = (k + 1) << 2; at < row; at += 4)
        store<f32>(below + at, load<f32>(below + at) - factor * load<f32>(own + at))
    }
  }
  return product
}

/** The row from k on with the largest element of column k. */
function largestOf(a: usize, size: u32, k: u32): u32 {
  let best = k
  let most = abs(load<f32>(a + ((k * size + k) << 2)))
  for (let row = k + 1; row < size; row++) {
    const element = abs(load<f32>(a + ((row * size + k) << 2)))
    if (!(element > most)) continue
    most = element
    best = row
  }
  return best
}
