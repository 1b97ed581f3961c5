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

/** Elements that are side by side in memory, but whose innermost loop is short: planes of colours that become pixels, for one. */
const SHORT: u32 = 4

export function quantize(p: QuantizeParams, x: usize, y: usize): void {
  const sizes = changetype<usize>(p)
  takeSlice(sizes, 1)
  const n = columns
  while (row < lastRow) {
    let from = at(x, sizes, sizes + LOOPS)
    let to = byteAt(y, sizes, sizes + 2 * LOOPS)
    const rows = takeRun(p.d4)
    if (p.x4 == 1 && n <= SHORT)
      for (let j: u32 = 0; j < n; j++)
        quantizeRow(p, from + ((<usize>j * p.x5) << 2), 1, to + <usize>j * p.y5, p.y4, rows)
    else for (let i = rows; i > 0; i--, from += p.x4 << 2, to += p.y4) quantizeRow(p, from, p.x5, to, p.y5, n)
  }
}

function quantizeRow(p: QuantizeParams, x: usize, xStep: usize, y: usize, yStep: usize, n: u32): void {
  const scale = f32x4.splat(p.scale)
  const zero = zeroFor(p.zero)
  let left = n
  if (xStep == 1)
    for (; left >= 16; left -= 16, x += 64, y += yStep << 4) {
      const a = levels(f32x4.div(v128.load(x), scale), zero)
      const b = levels(f32x4.div(v128.load(x, 16), scale), zero)
      const c = levels(f32x4.div(v128.load(x, 32), scale), zero)
      const d = levels(f32x4.div(v128.load(x, 48), scale), zero)
      const bytes = i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d))
      if (yStep == 1) v128.store(y, bytes)
      else scatter(bytes, y, yStep)
    }
  for (; left > 0; left--, x += xStep << 2, y += yStep) {
    const whole = i32x4.extract_lane(levels(f32x4.splat(load<f32>(x) / p.scale), zero), 0)
    store<u8>(y, <u8>min(max(whole, 0), 255))
  }
}

/** Sixteen bytes, `step` apart. */
function scatter(bytes: v128, y: usize, step: usize): void {
  const quad = step << 2
  for (let i = 0; i < 4; i++, y += quad) {
    v128.store8_lane(y, bytes, 0)
    v128.store8_lane(y + step, bytes, 1)
    v128.store8_lane(y + 2 * step, bytes, 2)
    v128.store8_lane(y + 3 * step, bytes, 3)
    bytes = i32x4.shuffle(bytes, bytes, 1, 2, 3, 0)
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
