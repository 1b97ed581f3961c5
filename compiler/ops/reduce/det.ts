import { type Dim, product } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import { describe, kernel, type Op } from '../op.js'

/**
 * Determinants of square matrices of `size`, by elimination with the largest of each column as its pivot (Golub and Van Loan
 * 2013, algorithm 3.4.1), in `work`.
 */
export const detKernel = kernel({
  name: 'det',
  fields: { count: 'u32', size: 'u32' },
  buffers: { x: 'read', y: 'write', work: 'scratch' },
  reference(p, { x, y }) {
    const at = (row: number, column: number) => row * p.size + column
    for (let i = 0; i < p.count; i++) {
      const a = x.slice(i * p.size ** 2, (i + 1) * p.size ** 2)
      let product = 1
      for (let k = 0; k < p.size; k++) {
        let best = k
        for (let row = k + 1; row < p.size; row++) if (Math.abs(a[at(row, k)]) > Math.abs(a[at(best, k)])) best = row
        const pivot = a[at(best, k)]
        product *= best === k ? pivot : -pivot
        if (pivot === 0) break
        for (let column = k; column < p.size; column++) {
          const moved = a[at(k, column)]
          a[at(k, column)] = a[at(best, column)]
          a[at(best, column)] = moved
        }
        for (let row = k + 1; row < p.size; row++) {
          const factor = a[at(row, k)] / pivot
          for (let column = k + 1; column < p.size; column++) a[at(row, column)] -= factor * a[at(k, column)]
        }
      }
      y[i] = product
    }
  }
})

/** A matrix is looked at as many times as it has rows. */
const largest = 1024

const det: Op = {
  infer(node) {
    const x = node.inputs[0]!
    const [rows, columns]: readonly Dim[] = x.shape.slice(-2)
    const isSquare = x.rank >= 2 && typeof rows === 'number' && rows === columns && rows >= 1 && rows <= largest
    if (!isSquare) throw refuse(node, `takes square matrices of 1 to ${largest} rows, not ${describe(x)}`)
    node.output.shape = x.shape.slice(0, -2)
    node.output.dtype = x.dtype
  },
  layout: 'plain',
  writesDense: true,
  lower(node, to) {
    const x = to.dense(node.inputs[0]!)
    const size = x.shape[x.shape.length - 1] as number
    const count = product(x.shape.slice(0, -2))
    to.call(detKernel, { count, size }, { x, y: to.view(node.output), work: to.scratch([size, size]) })
  }
}

export const determinants: Record<string, Op> = { Det: det }
