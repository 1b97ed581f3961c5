import { same, sameShape } from '../algebra/index.js'
import type { Graph, Node, Value } from '../graph/index.js'
import { intsOf, permutation, slicing } from '../ops/index.js'
import { count, type Pass } from './pass.js'
import { isScalar } from './recognise/match.js'

/** Takes out nodes that give back their input: Dropout at inference, casts between floats, full slices, and so on. */
export const removeIdentity: Pass = {
  name: 'remove-identity',
  run(graph) {
    let removed = 0
    for (const node of [...graph.nodes]) {
      if (!isIdentity(graph, node)) continue
      graph.bypass(node)
      removed++
    }
    return count(removed, 'node')
  }
}

const floats = new Set(['float32', 'float16', 'float64'])

function isIdentity(graph: Graph, node: Node): boolean {
  const input = node.inputs[0] as Value
  const { output } = node
  if (!input) return false
  switch (node.op) {
    case 'Identity':
    case 'Dropout':
      return !node.outputs.slice(1).some(mask => mask.users.length || graph.isOutput(mask))
    case 'Cast':
    case 'CastLike':
      return (
        input.dtype === output.dtype || (floats.has(input.dtype) && floats.has(output.dtype) && !graph.isOutput(output))
      )
    case 'Reshape':
    case 'Flatten':
    case 'Squeeze':
    case 'Unsqueeze':
    case 'Expand':
    case 'Tile':
      return sameShape(input.shape, output.shape)
    case 'Transpose':
      return permutation(node).every((axis, i) => axis === i)
    case 'Slice':
      return sameShape(input.shape, output.shape) && slicing(node).step.every(step => step > 0)
    case 'Pad':
      return intsOf(node, 1, 'pads')!.every(pad => pad === 0)
    case 'Concat':
      return node.inputs.length === 1
    case 'Split':
      return node.outputs.length === 1
    case 'Resize':
    case 'Upsample':
      return (
        sameShape(input.shape, output.shape) && node.text('coordinate_transformation_mode', '') !== 'tf_crop_and_resize'
      )
    case 'Mul':
    case 'Div':
      return sameShape(input.shape, output.shape) && isScalar(node.inputs[1], 1, 0)
    case 'Add':
    case 'Sub':
      return sameShape(input.shape, output.shape) && isScalar(node.inputs[1], 0, 0)
    case 'Sum':
    case 'Mean':
    case 'Max':
    case 'Min':
      return node.inputs.length === 1
    default:
      return isReduceOfNothing(node, input)
  }
}

/** A reduction to the same shape over axes of size 1; norms and squares change the numbers all the same. */
function isReduceOfNothing(node: Node, input: Value): boolean {
  const plain = [
    'ReduceMean',
    'ReduceSum',
    'ReduceMax',
    'ReduceMin',
    'ReduceProd',
    'GlobalAveragePool',
    'GlobalMaxPool'
  ]
  return (
    plain.includes(node.op) &&
    input.rank === node.output.rank &&
    input.shape.every((size, axis) => same(size, node.output.shape[axis]))
  )
}
