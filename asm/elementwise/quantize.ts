import { at, byteAt, columns, LOOPS, lastRow, row, takeRun, takeSlice } from '../rows'
import { levels, zeroFor } from './requantise'

/** Floats to bytes and back, over any strides; see compiler/ops/elementwise/quantize.ts. */
@unmanaged
export class QuantizeParams {
  d0: u32
  d1: u32
  d2: u32
  d3: u32
  d4: u32
  d5: u32
  x0: i32
  x1: i32
  x2: i32
  x3: i32
  x4: i32
  x5: i32
  y0: i32
  y1: i32
  y2: i32
  y3: i32
  y4: i32
  y5: i32
  scale: f32
  zero: u32
}

export function quantize(p: QuantizeParams, x: usize, y: usize): void {
  const sizes = changetype<usize>(p)
  takeSlice(sizes, 1)
  const n = columns
  const scale = f32x4.splat(p.scale)
  const zero = zeroFor(p.zero)
  while (row < lastRow) {
    let from = at(x, sizes, sizes + LOOPS)
    let to = byteAt(y, sizes, sizes + 2 * LOOPS)
    for (let i = takeRun(p.d4); i > 0; i--, from += p.x4 << 2, to += p.y4) {
      let j: u32 = 0
      if (p.x5 == 1 && p.y5 == 1)
        for (; j + 16 <= n; j += 16) {
          const at = from + (j << 2)
          const a = levels(f32x4.div(v128.load(at), scale), zero)
          const b = levels(f32x4.div(v128.load(at, 16), scale), zero)
          const c = levels(f32x4.div(v128.load(at, 32), scale), zero)
          const d = levels(f32x4.div(v128.load(at, 48), scale), zero)
          v128.store(to + j, i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d)))
        }
      for (; j < n; j++) {
        const v = load<f32>(from + ((<usize>j * p.x5) << 2)) / p.scale
        const whole = i32x4.extract_lane(levels(f32x4.splat(v), zero), 0)
        store<u8>(to + <usize>j * p.y5, <u8>min(max(whole, 0), 255))
      }
    }
  }
}

export function dequantize(p: QuantizeParams, x: usize, y: usize): void {
  const sizes = changetype<usize>(p)
  takeSlice(sizes, 1)
  const n = columns
  const scale = f32x4.splat(p.scale)
  const zero = i32x4.splat(p.zero)
  while (row < lastRow) {
    let from = byteAt(x, sizes, sizes + LOOPS)
    let to = at(y, sizes, sizes + 2 * LOOPS)
    for (let i = takeRun(p.d4); i > 0; i--, from += p.x4, to += p.y4 << 2) {
      let j: u32 = 0
      if (p.x5 == 1 && p.y5 == 1)
        for (; j + 8 <= n; j += 8) {
          const v = v128.load8x8_u(from + j)
          v128.store(to + (j << 2), floats(i32x4.extend_low_i16x8_u(v), zero, scale))
          v128.store(to + (j << 2), floats(i32x4.extend_high_i16x8_u(v), zero, scale), 16)
        }
      for (; j < n; j++) {
        const v = <f32>(<i32>load<u8>(from + <usize>j * p.x5) - <i32>p.zero) * p.scale
        store<f32>(to + ((<usize>j * p.y5) << 2), v)
      }
    }
  }
}

/** (x - zero) * scale */
export function floats(x: v128, zero: v128, scale: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(x, zero)), scale)
}
