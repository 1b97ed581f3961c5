/** Nested loops of kernels that take any strides. */
export const loopDepth = 6

/** Calls `body` with every index of a loop nest; the index array is reused. */
export function visit(sizes: readonly number[], body: (index: readonly number[]) => void): void {
  const index = sizes.map(() => 0)
  if (sizes.some(size => size === 0)) return
  for (;;) {
    body(index)
    let axis = sizes.length - 1
    while (axis >= 0 && ++index[axis] === sizes[axis]) index[axis--] = 0
    if (axis < 0) return
  }
}
