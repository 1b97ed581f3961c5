/** The first index that is out of range, looked for by one thread: there are few of them, and one can be the first. */
import { firstOf, lastOf } from '../thread'

@unmanaged
export class BoundsParams {
  outer: u32
  most: u32
  inner: u32
  step: u32
  size: u32
  limited: u32
}

export function bounds(p: BoundsParams, indices: usize, count: usize, fault: usize): void {
  if (firstOf(1, 1) == lastOf(1, 1)) return
  const rows = p.limited ? min(<u32>load<f32>(count), p.most) : p.most
  const length = rows * p.inner
  const step: usize = p.step << 2
  store<f32>(fault, 0)
  store<f32>(fault, 0, 4)
  for (let block: u32 = 0; block < p.outer; block++) {
    const from = indices + <usize>(block * p.most * p.inner) * step
    const found = firstOutside(from, length, step, <f32>p.size)
    if (found == length) continue
    store<f32>(fault, 1)
    store<f32>(fault, load<f32>(from + <usize>found * step), 4)
    return
  }
}

/** The position of the first that is not from -size to size - 1; `length` where there is none. */
function firstOutside(from: usize, length: u32, step: usize, size: f32): u32 {
  let i: u32 = 0
  if (step == 4) {
    const high = f32x4.splat(size)
    const low = f32x4.splat(-size)
    for (; i + 4 <= length; i += 4) {
      const v = v128.load(from + (i << 2))
      if (!i32x4.all_true(v128.and(f32x4.ge(v, low), f32x4.lt(v, high)))) break
    }
  }
  for (; i < length; i++) {
    const index = load<f32>(from + <usize>i * step)
    if (!(index >= -size && index < size)) break
  }
  return i
}
