import type { Value } from '../../../graph/index.js'
import type { Writer } from '../../../infer/index.js'
import { along, giveOutput, type Rewrite, whole, wholes } from '../rewrite.js'

/** 0 .. size-1 along the classes. */
function classes(write: Writer, { shape, rank }: Value): Value {
  const all = Array.from({ length: shape[1] as number }, (_, i) => i)
  return along(write, wholes(write, all, 'int64'), 1, rank)
}

/** -log softmax at the label, times its class's weight; a label that is to be ignored weighs nothing. */
export const softmaxCrossEntropy: Rewrite = (write, node) => {
  const [scores, labels, weights] = node.inputs as Value[]
  const logarithms = write.add('LogSoftmax', [scores], { axis: 1 })
  giveOutput(write, node, 1, logarithms)
  const apart = write.reshape(labels, [scores.shape[0], 1, ...scores.shape.slice(2)])
  let hit = write.add('Equal', [apart, classes(write, scores)])
  if (node.attributes.has('ignore_index')) {
    const ignored = whole(write, node.number('ignore_index', 0), labels.dtype)
    hit = write.add('And', [hit, write.add('Not', [write.add('Equal', [apart, ignored])])])
  }
  const zero = write.scalar(0)
  const pick = (values: Value) =>
    write.add('ReduceSum', [write.add('Where', [hit, values, zero])], { axes: [1], keepdims: 0 })
  const weight = weights ? along(write, weights, 1, scores.rank) : write.scalar(1)
  const loss = write.add('Neg', [pick(weights ? write.add('Mul', [logarithms, weight]) : logarithms)])
  const reduction = node.text('reduction', 'mean')
  if (reduction === 'none') return loss
  const sum = write.add('ReduceSum', [loss], { keepdims: 0 })
  if (reduction === 'sum') return sum
  return write.add('Div', [sum, write.add('ReduceSum', [pick(weight)], { keepdims: 0 })])
}
