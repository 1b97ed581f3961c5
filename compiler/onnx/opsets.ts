import { CompileError } from '../errors.js'
import { type Attribute, type Graph, Node, type Value } from '../graph/index.js'
import { dtypeNames } from './tensor-proto.js'

/** What differs between ONNX's opsets: every node is read as the newest has it. */

/** Before opset 7 the second operand says at which axis of the first it begins, a PRelu's slopes at the channels. */
function alignOperand(graph: Graph, node: Node, inputs: (Value | undefined)[]): void {
  const axis = node.op === 'PRelu' ? 1 : node.attributes.has('broadcast') ? node.number('axis', Number.NaN) : Number.NaN
  const [a, b] = inputs
  if (Number.isNaN(axis) || !a || !b) return
  const align = new Node('AlignAxes', `${node.name}.axes`, new Map([['axis', axis]]))
  inputs[1] = graph.insert(align, [b, a], 1).output
}

/** Operators of which attributes became inputs: the opset, and how many inputs there were before. */
const laterInputs: Readonly<Record<string, readonly (readonly [opset: number, before: number])[]>> = {
  ...Object.fromEntries(
    ['L1', 'L2', 'LogSum', 'LogSumExp', 'Max', 'Mean', 'Min', 'Prod', 'SumSquare'].map(name => [
      `Reduce${name}`,
      [[18, 1]]
    ])
  ),
  Clip: [[11, 1]],
  Dropout: [[12, 1]],
  Pad: [
    [11, 1],
    [18, 3]
  ],
  ReduceSum: [[13, 1]],
  Resize: [[11, 2]],
  Slice: [[10, 1]],
  Split: [[13, 1]],
  Squeeze: [[13, 1]],
  TopK: [[10, 1]],
  Unsqueeze: [[13, 1]],
  Upsample: [[9, 1]]
}

/** Inputs that the operator does not have in the model's opset would be read as those of another. */
function refuseLater({ op, name }: Node, given: number, opset: number): void {
  if (!Object.hasOwn(laterInputs, op)) return
  const change = laterInputs[op].find(([since, before]) => opset < since && given > before)
  if (change)
    throw new CompileError(`${op} "${name}" has ${given} inputs; at most ${change[1]} are allowed in opset ${opset}`)
}

/** Attributes that name an element type by ONNX's number. */
const typeAttributes: Readonly<Record<string, string>> = {
  Cast: 'to',
  QuantizeLinear: 'output_dtype',
  EyeLike: 'dtype',
  ...Object.fromEntries(
    ['BlackmanWindow', 'HammingWindow', 'HannWindow', 'MelWeightMatrix'].map(name => [name, 'output_datatype'])
  )
}

/** Brings what older opsets spell otherwise to the newest spelling, where shapes are not needed for it. Throws CompileError. */
export function upgrade(graph: Graph, node: Node, inputs: (Value | undefined)[], opset: number): void {
  refuseLater(node, inputs.length, opset)
  upgradeAttributes(node, opset)
  if (opset < 7) alignOperand(graph, node, inputs)
}

function upgradeAttributes(node: Node, opset: number): void {
  const setDefault = (name: string, value: Attribute) => {
    if (!node.attributes.has(name)) node.attributes.set(name, value)
  }
  if (node.op === 'Softmax' || node.op === 'LogSoftmax' || node.op === 'Hardmax') {
    setDefault('axis', opset < 13 ? 1 : -1)
    if (opset < 13) node.attributes.set('flatten', 1)
  }
  if (node.op === 'BatchNormalization' && opset < 7) setDefault('training_mode', node.number('is_test', 0) ? 0 : 1)
  if (node.op === 'Upsample' || (node.op === 'Resize' && opset < 11)) {
    setDefault('coordinate_transformation_mode', 'asymmetric')
    setDefault('nearest_mode', 'floor')
  }
  if (node.op === 'DFT' && opset < 20) setDefault('axis', 1)
  // Of a batch of sequences, each of a length of its own.
  if (node.op === 'Scan' && opset < 9) node.attributes.set('batched', 1)
  if (node.op === 'RoiAlign' && opset < 16) setDefault('coordinate_transformation_mode', 'output_half_pixel')
  const named = typeAttributes[node.op]
  const type = named ? node.number(named, 0) : 0
  if (named && (type || named === 'to')) node.attributes.set(named, dtypeNames[type] ?? `type ${type}`)
}
