import { product } from '../../../algebra/index.js'
import { isConstant, type Value } from '../../../graph/index.js'
import { compressedAxis } from '../../../ops/index.js'
import { type Rewrite, wholes } from '../rewrite.js'

/** A constant condition names rows. */
export const compress: Rewrite = (write, node) => {
  const [x, condition] = node.inputs as Value[]
  if (!isConstant(condition)) return undefined
  const axis = compressedAxis(node)
  const kept = Array.from(condition.data.keys()).filter(i => condition.data[i] !== 0)
  const table = axis === undefined ? write.reshape(x, [product(x.shape)]) : x
  return write.add('Gather', [table, wholes(write, kept, 'int64')], { axis: axis ?? 0, checked: 1 })
}
