/** What kernels of pooling take, and where windows reach the input. */
@unmanaged
export class PoolParams {
  kind: u32
  batch: u32
  channels: u32
  x0: u32
  x1: u32
  x2: u32
  y0: u32
  y1: u32
  y2: u32
  k0: u32
  k1: u32
  k2: u32
  s0: u32
  s1: u32
  s2: u32
  d0: u32
  d1: u32
  d2: u32
  b0: u32
  b1: u32
  b2: u32
  e0: u32
  e1: u32
  e2: u32
  xBatch: u32
  i0: u32
  i1: u32
  i2: u32
  yBatch: u32
  o0: u32
  o1: u32
  o2: u32
}

/** The first tap at or behind position 0 of a window that begins at `at`. */
export function firstTap(at: i32, dilation: u32): i32 {
  return at >= 0 ? 0 : (<i32>dilation - 1 - at) / <i32>dilation
}

/** The number of taps before position `end`, never fewer than `firstTap`. */
export function tapsBefore(at: i32, end: u32, taps: u32, dilation: u32): i32 {
  const room = <i32>end - at
  const before = room <= 0 ? 0 : min(<i32>taps, (room + <i32>dilation - 1) / <i32>dilation)
  return max(before, min(firstTap(at, dilation), <i32>taps))
}
