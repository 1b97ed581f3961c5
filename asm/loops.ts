/**
 * Nested loops by one flat index, so that a slice of them is two numbers. Sizes and steps of the loops are u32 fields
 * that follow each other in a parameter block; steps count floats, and negative ones wrap around.
 */

/** Bytes from the start of an operand of floats to where the flat `index` over the first `axes` of the loops takes it. */
export function offsetOf(index: u32, axes: i32, sizes: usize, steps: usize): usize {
  return elementsTo(index, axes, sizes, steps) << 2
}

/** As offsetOf, in elements. */
export function elementsTo(index: u32, axes: i32, sizes: usize, steps: usize): usize {
  let offset: usize = 0
  for (let axis = axes - 1; axis >= 0; axis--) {
    const size = load<u32>(sizes + (axis << 2))
    if (size == 1) continue
    offset += (index % size) * load<u32>(steps + (axis << 2))
    index /= size
  }
  return offset
}

/** Where the run of the innermost loop that `index` is in ends, or the slice before it. */
export function endOfRun(index: u32, size: u32, last: u32): u32 {
  return min(index - (index % size) + size, last)
}

/** The product of the first `axes` sizes. */
export function tripsOf(axes: i32, sizes: usize): u32 {
  let trips: u32 = 1
  for (let axis = 0; axis < axes; axis++) trips *= load<u32>(sizes + (axis << 2))
  return trips
}
