/**
 * Threads are SPMD: every one runs the same calls over the same memory and takes its slice of each. A slice depends on
 * the call's sizes alone, and no sum is cut by it, so results are the same bits at every thread count. Each thread is
 * an instance of this module: globals are its own, memory is shared.
 */
let self: u32 = 0
let threads: u32 = 1
let grain: u32 = 0

/** Bytes in front of the first thread's statics (constants of asm/elementwise/math.ts among them), and of each thread's. */
const FRONT: usize = 8192
const STATICS: usize = 3072

/** This is thread `index` of `count` from now on; a slice that touches fewer than `least` floats is not worth it. */
export function enter(index: u32, count: u32, least: u32): void {
  self = index
  threads = count
  grain = least
}

/** Memory of this thread's own, behind which kernels keep what does not fit in registers. */
export function statics(): usize {
  return FRONT + <usize>self * STATICS
}

/** Of `items` this thread takes those from firstOf to lastOf; no thread is called upon for fewer than `least`. */
export function firstOf(items: u32, least: u32): u32 {
  return boundary(self, items, least)
}

export function lastOf(items: u32, least: u32): u32 {
  return boundary(self + 1, items, least)
}

/** The fewest items that are worth a thread's while when each touches `cost` floats. */
export function worth(cost: u64): u32 {
  return <u32>(grain / max<u64>(cost, 1)) + 1
}

function boundary(thread: u32, items: u32, least: u32): u32 {
  const parts = max(min(threads, items / max(least, 1)), 1)
  return <u32>((<u64>items * min(thread, parts)) / parts)
}
