/** Rows picked by index, which is clamped to the table so that no index reads outside it. */
@unmanaged
export class GatherParams {
  outer: u32
  size: u32
  inner: u32
  count: u32
}

export function gather(p: GatherParams, x: usize, indices: usize, y: usize): void {
  const bytes = p.inner << 2
  for (let o: u32 = 0; o < p.outer; o++, x += p.size * bytes) {
    for (let j: u32 = 0; j < p.count; j++, y += bytes) {
      let index = <i32>load<f32>(indices + (j << 2))
      if (index < 0) index += p.size
      const from = x + min(max(index, 0), <i32>p.size - 1) * bytes
      let i: u32 = 0
      for (; i + 16 <= bytes; i += 16) v128.store(y + i, v128.load(from + i))
      for (; i < bytes; i += 4) store<f32>(y + i, load<f32>(from + i))
    }
  }
}
