import { mul } from '../../../algebra/index.js'
import type { Value } from '../../../graph/index.js'
import type { Writer } from '../../../infer/index.js'
import { functionsOf, type Layer, layerOf } from '../../../ops/index.js'
import { filled, giveOutput, type Rewrite } from '../rewrite.js'

/** Elements `from` to `to` - 1 along `axis`. */
function cut(write: Writer, value: Value, from: number, to: number, axis: number): Value {
  const [starts, ends, axes] = [from, to, axis].map(number => write.sizes([number]))
  return write.add('Slice', [value, starts, ends, axes])
}

const zeros = (write: Writer, { directions, size }: Layer) => filled(write, [directions, size], 0, 'float32')

/** Both biases [directions, gates * size] in one, but for the recurrent one of the last gate where that is multiplied later. */
function biasesOf(write: Writer, biases: Value, { directions, gates, size }: Layer, late: boolean) {
  const width = gates * size
  const own = cut(write, biases, 0, width, 1)
  const recurrent = cut(write, biases, width, 2 * width, 1)
  if (!late) return { bias: write.add('Add', [own, recurrent]) }
  const front = write.add('Add', [cut(write, own, 0, width - size, 1), cut(write, recurrent, 0, width - size, 1)])
  const bias = write.add('Concat', [front, cut(write, own, width - size, width, 1)], { axis: 1 })
  return { bias, last: write.reshape(cut(write, recurrent, width - size, width, 1), [directions, size]) }
}

/** One product of all steps with the weights of all directions and gates; what is left are the steps. */
export const recurrent: Rewrite = (write, node) => {
  const layer = layerOf(node)
  const { gates, directions, backward, size, steps, batch, inputs, batchFirst } = layer
  const [x, w, r, biases, lengths, firstState, firstCell, peephole] = node.inputs
  const late = node.op === 'GRU' && node.number('linear_before_reset', 0) !== 0
  const columns = directions * gates * size
  const inOrder = (value: Value | undefined) =>
    value && batchFirst ? write.add('Transpose', [value], { perm: [1, 0, 2] }) : value
  const rows = write.reshape(inOrder(x)!, [mul(steps, batch), inputs])
  const { bias, last } = biases
    ? biasesOf(write, biases, layer, late)
    : { bias: undefined, last: late ? zeros(write, layer) : undefined }
  const weights = write.add('Transpose', [write.reshape(w!, [columns, inputs])], { perm: [1, 0] })
  const products = write.add('Gemm', [rows, weights, bias && write.reshape(bias, [columns])])
  const clip = node.number('clip', 0)
  const [y, h, c] = write.addMany(
    'Recurrence',
    [
      write.reshape(products, [steps, batch, columns]),
      r,
      last,
      peephole,
      lengths,
      inOrder(firstState),
      inOrder(firstCell)
    ],
    node.op === 'LSTM' ? 3 : 2,
    {
      gates,
      directions,
      backward,
      functions: functionsOf(node, layer),
      late: Number(late),
      coupled: node.number('input_forget', 0),
      ...(clip > 0 ? { clip } : {})
    }
  )
  giveOutput(write, node, 1, inOrder(h)!)
  if (c) giveOutput(write, node, 2, inOrder(c)!)
  return write.add('Transpose', [y], { perm: batchFirst ? [1, 0, 2, 3] : [0, 2, 1, 3] })
}
