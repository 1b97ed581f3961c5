/**
 * The self-check of a model that is a module of its own: the sums of runtime/file/expected.ts, of one layer after another.
 * What a layer is expected to sum up to stands in a table, with room for what it does.
 */

@unmanaged
export class Expected {
  /** How far a sum may be off. */
  limit: f64
  sum0: f64
  sum1: f64
  sum2: f64
  sum3: f64
  sum4: f64
  sum5: f64
  sum6: f64
  sum7: f64
  /** Elements that are finite. */
  count: u32
}

const SUMS: u32 = 8
let finite: u32 = 0
let next: u32 = 0
let sums: usize = 0

/** A bijection of 32 bits; runtime/base/hash.ts has it too. */
function finalise(word: u32): u32 {
  let z = (word ^ (word >> 16)) * 0x21f0aaad
  z = (z ^ (z >> 15)) * 0x735a2d97
  return z ^ (z >> 15)
}

/** The golden input: `count` floats at `at`, of so many levels. */
export function draw(at: usize, count: u32, seed: u32, low: f64, step: f64, levels: f64): void {
  const own = finalise(seed)
  for (let i: u32 = 0; i < count; i++)
    store<f32>(at + (i << 2), <f32>(low + step * Math.floor((<f64>finalise(own + i) / 4294967296.0) * levels)))
}

/** Nothing has been written to these `count` floats. */
export function spoil(at: usize, count: u32): void {
  for (const end = at + (count << 2); at < end; at += 4) store<u32>(at, 0x7fc00000)
}

/** Of a layer nothing is summed up yet; its eight sums are kept at `at`. */
export function begin(at: usize): void {
  sums = at
  finite = 0
  next = 0
  memory.fill(at, 0, SUMS << 3)
}

/** Adds `count` elements of a storage, floats or bytes, to the layer's sums. */
export function sum(at: usize, count: u32, narrow: bool): void {
  for (let i: u32 = 0; i < count; i++) {
    let signs = finalise(next++)
    const value = narrow ? <f64>load<u8>(at + i) : <f64>load<f32>(at + (i << 2))
    if (!isFinite(value)) continue
    finite++
    for (let k: u32 = 0; k < SUMS; k++) {
      const own = sums + (k << 3)
      store<f64>(own, load<f64>(own) + (signs & 1 ? value : -value))
      signs >>= 1
    }
  }
}

/** Whether the layer is within its limit. */
export function judge(expected: usize): bool {
  const e = changetype<Expected>(expected)
  if (finite != e.count) return false
  for (let k: u32 = 0; k < SUMS; k++) {
    const off = Math.abs(load<f64>(sums + (k << 3)) - load<f64>(expected + ((k + 1) << 3)))
    if (!(off <= e.limit)) return false
  }
  return true
}
