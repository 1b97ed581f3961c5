/** The rows of a loop nest that a thread takes, for kernels over up to six loops with any strides (asm/elementwise/elementwise.ts). */
import { elementsTo, endOfRun, offsetOf, tripsOf } from './loops'
import { firstOf, lastOf, worth } from './thread'

/** Bytes of one operand's strides, and of the sizes. */
export const LOOPS: usize = 24
/** Fewer rows than this are divided by columns. */
const FEW_ROWS: u32 = 32

/** This thread's part of the rows, and of the columns of each. */
export let row: u32 = 0
export let lastRow: u32 = 0
let column: u32 = 0
export let columns: u32 = 0

/**
 * Threads divide the rows, or where these are few the columns, in blocks of sixteen: each element goes the same way
 * through the loops wherever a slice ends.
 */
export function takeSlice(sizes: usize, cost: u32): void {
  const rows = tripsOf(5, sizes)
  const width = load<u32>(sizes, 20)
  row = 0
  lastRow = rows
  column = 0
  columns = width
  if (rows < FEW_ROWS) {
    const blocks = (width + 15) >> 4
    const least = worth(16 * rows * cost)
    column = firstOf(blocks, least) << 4
    const end = min(lastOf(blocks, least) << 4, width)
    if (column < end) columns = end - column
    else lastRow = 0
  } else {
    const least = worth(width * cost)
    row = firstOf(rows, least)
    lastRow = lastOf(rows, least)
  }
}

/** Where an operand of the given steps is at the beginning of the slice's row. */
export function at(operand: usize, sizes: usize, steps: usize): usize {
  return operand + offsetOf(row, 5, sizes, steps) + ((column * load<u32>(steps, 20)) << 2)
}

/** As `at`, of an operand of bytes. */
export function byteAt(operand: usize, sizes: usize, steps: usize): usize {
  return operand + elementsTo(row, 5, sizes, steps) + column * load<u32>(steps, 20)
}

/** The rows of the slice that follow each other evenly, d4 of them at most; they count as done. */
export function takeRun(size: u32): u32 {
  const end = endOfRun(row, size, lastRow)
  const rows = end - row
  row = end
  return rows
}
