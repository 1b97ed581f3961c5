import { gather, scatter } from '../lanes'
import { activateRow, leakyRelu, PRELU } from './activation'

/**
 * What follows a sum: a residual that is added before or behind the activation. Parameter blocks hold these four
 * fields next to each other, so a kernel passes on where they are.
 */
@unmanaged
export class Epilogue {
  residual: u32
  act: u32
  alpha: f32
  beta: f32
}

export const RESIDUAL_BEFORE: u32 = 1
export const RESIDUAL_AFTER: u32 = 2

/** y = epilogue(x) for n neighbouring channels, whose slopes and residuals lie at `slope` and `r`; x is spent. */
export function finishRow(e: Epilogue, x: usize, slope: usize, r: usize, y: usize, n: u32): void {
  if (e.residual == RESIDUAL_BEFORE) addRow(x, r, x, n)
  const to = e.residual == RESIDUAL_AFTER ? x : y
  if (e.act == PRELU) preluRow(x, slope, to, n)
  else if (e.act || x != to) activateRow(e.act, e.alpha, e.beta, x, to, n)
  if (e.residual == RESIDUAL_AFTER) addRow(x, r, y, n)
}

/** The activation of `count` pixels of n neighbouring channels, which lie `step` bytes apart. */
export function activatePixels(e: Epilogue, y: usize, step: usize, count: u32, n: u32): void {
  if (step == (<usize>n) << 2) {
    n *= count
    count = 1
  }
  for (; count > 0; count--, y += step) activateRow(e.act, e.alpha, e.beta, y, y, n)
}

function addRow(a: usize, b: usize, y: usize, n: u32): void {
  const end = a + ((n & ~3) << 2)
  for (; a < end; a += 16, b += 16, y += 16) v128.store(y, f32x4.add(v128.load(a), v128.load(b)))
  const rest = n & 3
  if (rest) scatter(y, 4, f32x4.add(gather(a, 4, rest), gather(b, 4, rest)), rest)
}

function preluRow(x: usize, slope: usize, y: usize, n: u32): void {
  for (let left = <i32>n; left > 0; left -= 4, x += 16, slope += 16, y += 16) {
    scatter(y, 4, leakyRelu(gather(x, 4, left), gather(slope, 4, left)), left)
  }
}
