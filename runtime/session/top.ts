import { type Elements, type Executor, refuseFaults } from '../backend/index.js'
import type { Bindings, Outcome } from '../file/index.js'
import { type Scored, softmax, topK } from '../tensor/index.js'

export interface TopOf {
  readonly output: number
  readonly dims: readonly number[]
  readonly count: number
  readonly softmax: boolean
}

/** The best classes of each row of an output; everything behind the first axis is one row. */
export async function topRows(
  executor: Executor,
  program: Outcome,
  data: readonly Elements[],
  bindings: Bindings,
  { output, dims, count: wanted, softmax: normalised }: TopOf
): Promise<Scored[][]> {
  const rows = dims.length > 1 ? dims[0] : 1
  const classes = dims.reduce((a, b) => a * b, 1) / rows
  const count = Math.min(wanted, classes)
  const { gpu } = executor
  if (!gpu) {
    const ran = await executor.run(data, bindings)
    refuseFaults(program, ran, bindings)
    const scores = ran[output] as Float32Array
    return Array.from({ length: rows }, (_, row) => {
      const own = scores.subarray(row * classes, (row + 1) * classes)
      return topK(normalised ? softmax(own) : own, count)
    })
  }
  return gpu.top(data, bindings, output, { rows, classes, count, softmax: normalised })
}
