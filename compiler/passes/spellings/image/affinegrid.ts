import type { Dim } from '../../../algebra/index.js'
import type { Value } from '../../../graph/index.js'
import type { Writer } from '../../../infer/index.js'
import { positions } from '../movement/positions.js'
import { type Rewrite, wholes } from '../rewrite.js'

/** Each coordinate is a sum over the axes, of which each has its own along itself alone, and a shift. */
export const affineGrid: Rewrite = (write, node) => {
  const theta = node.inputs[0]!
  const [n, ...sizes] = node.output.shape.slice(0, -1)
  const corners = node.number('align_corners', 0) !== 0
  const rank = sizes.length + 1
  // Theta names the innermost axis first.
  const along = sizes.map((size, i) => coordinates(write, size, i + 1, rank, corners)).reverse()
  const element = (row: number, column: number) => {
    const [starts, ends, axes] = [
      [row, column],
      [row + 1, column + 1],
      [1, 2]
    ].map(list => wholes(write, list, 'int64'))
    return write.reshape(write.add('Slice', [theta, starts, ends, axes]), [n, ...sizes.map(() => 1)])
  }
  const planes = sizes.map((_, row) => {
    const parts = along.map((places, column) => write.add('Mul', [places, element(row, column)]))
    const sum = parts.reduceRight((a, b) => write.add('Add', [a, b]), element(row, sizes.length))
    return write.reshape(sum, [n, ...sizes, 1])
  })
  return write.add('Concat', planes, { axis: rank })
}

/** From -1 to 1 across an axis, at the centres of its first and last element or at their outer borders. */
function coordinates(write: Writer, size: Dim, axis: number, rank: number, corners: boolean): Value {
  const doubled = write.add('Mul', [floats(write, positions(write, size, axis, rank)), write.scalar(2)])
  const whole = floats(write, write.size(size))
  // A single element is at the first border.
  const range = corners ? write.add('Max', [write.add('Sub', [whole, write.scalar(1)]), write.scalar(1)]) : whole
  const from = corners ? doubled : write.add('Add', [doubled, write.scalar(1)])
  return write.add('Sub', [write.add('Div', [from, range]), write.scalar(1)])
}

const floats = (write: Writer, value: Value) => write.add('Cast', [value], { to: 'float32' })
