// What opsets 18 to 23 have and Cairn does not, each with what the message has to name.
import { type Attributes, type DType, encodeModel, ModelBuilder } from '../../support/onnx/model.js'
import type { Malformed } from './malformed.js'

/** One node of an opset, its operands made by `operands`. */
const node = (
  opset: number,
  op: string,
  what: string,
  message: RegExp,
  operands: (m: ModelBuilder) => (string | undefined)[],
  attributes: Attributes = {}
): Malformed => ({
  name: `${op}: ${what}, opset ${opset}`,
  message,
  model: () => {
    const m = new ModelBuilder(undefined, opset)
    return m.output(m.add(op, operands(m), attributes)).encode()
  }
})

/** The same model with an input of an element type that tests cannot write. */
const typed = (name: string, elemType: number, message: RegExp): Malformed => ({
  name,
  message,
  model: () => {
    const m = new ModelBuilder(undefined, 23)
    const proto = m.output(m.add('Relu', [m.input([3, 4])])).proto()
    proto.graph!.input![0].type!.tensorType!.elemType = elemType
    return encodeModel(proto)
  }
})

const of = (m: ModelBuilder, dtype: DType) => m.constant({ dtype, dims: [], data: [0] })

export const unsupported: readonly Malformed[] = [
  typed('inputs of bfloat16', 16, /"x_0" has element type 16/),
  typed('inputs of float8', 17, /"x_0" has element type 17/),
  typed('inputs of int4', 22, /"x_0" has element type 22/),
  node(19, 'Cast', 'to float8', /Cast "cast_\d+".*type 17/, m => [m.input([3])], { to: 17, saturate: 1 }),
  node(21, 'Cast', 'to int4', /Cast "cast_\d+".*type 22/, m => [m.input([3])], { to: 22 }),
  node(21, 'QuantizeLinear', 'to 16 bits', /QuantizeLinear ".*uint16/, m => [
    m.input([3]),
    m.scalar(1),
    of(m, 'uint16')
  ]),
  node(21, 'QuantizeLinear', 'to a named type', /QuantizeLinear ".*type 17/, m => [m.input([3]), m.scalar(1)], {
    output_dtype: 17
  }),
  node(21, 'QuantizeLinear', 'in blocks', /QuantizeLinear ".*block_size/, m => [m.input([4, 4]), m.weights([2, 4])], {
    axis: 0,
    block_size: 2
  }),
  node(
    21,
    'DequantizeLinear',
    'in blocks',
    /DequantizeLinear ".*block_size/,
    m => [m.input([4, 4], 'int8'), m.weights([2, 4])],
    {
      axis: 0,
      block_size: 2
    }
  ),
  ...[0, -0.5, Number.NaN, Number.POSITIVE_INFINITY].map(scale =>
    node(21, 'QuantizeLinear', `by ${scale}`, /QuantizeLinear ".*has a scale of .*; finite numbers above 0/, m => [
      m.input([4, 4]),
      m.scalar(scale)
    ])
  ),
  node(21, 'DequantizeLinear', 'by a negative scale', /DequantizeLinear ".*has a scale of -1; finite numbers/, m => [
    m.input([4, 4], 'int8'),
    m.scalar(-1)
  ]),
  node(
    21,
    'QuantizeLinear',
    'by scales of other channels',
    /QuantizeLinear ".*has 3 scales; 1 or 4, one for each/,
    m => [m.input([2, 4]), m.weights([3], [1, 2])]
  ),
  node(21, 'QuantizeLinear', 'about other zero points', /QuantizeLinear ".*has 2 zero points and 4 scales/, m => [
    m.input([2, 4]),
    m.weights([4], [1, 2]),
    m.constant({ dtype: 'uint8', dims: [2], data: [1, 2] })
  ]),
  node(23, 'Attention', 'at all', /Attention/, m => [
    m.input([1, 2, 4, 8]),
    m.input([1, 2, 4, 8]),
    m.input([1, 2, 4, 8])
  ]),
  node(23, 'RotaryEmbedding', 'at all', /RotaryEmbedding/, m => [
    m.input([1, 2, 4, 8]),
    m.weights([4, 4]),
    m.weights([4, 4])
  ]),
  node(18, 'Unique', 'at all', /Unique "unique_\d+": gives as many elements as are different.*NonZero/, m => [
    m.input([5])
  ]),
  node(18, 'BitwiseNot', 'of 32 bits without a sign', /BitwiseNot ".*uint32/, m => [m.input([5], 'uint32')]),
  node(18, 'BitwiseAnd', 'of floats', /BitwiseAnd ".*is float32/, m => [m.input([5]), m.input([5])]),
  node(18, 'BitwiseOr', 'a constant of more digits', /BitwiseOr ".*16777217.*single precision/, m => [
    m.input([5], 'int32'),
    m.constant({ dtype: 'int32', dims: [], data: [2 ** 24 + 1] })
  ]),
  node(
    17,
    'BitShift',
    'of a type with a sign',
    /BitShift ".*int32; integers without a sign/,
    m => [m.input([5], 'int32'), m.input([5], 'int32')],
    { direction: 'LEFT' }
  ),
  node(17, 'BitShift', 'in no direction', /BitShift ".*LEFT and RIGHT/, m => [
    m.input([5], 'uint8'),
    m.input([5], 'uint8')
  ]),
  node(18, 'Trilu', 'a diagonal that only a run knows', /Trilu ".*known when compiling/, m => [
    m.input([4, 4]),
    m.input([], 'int64')
  ]),
  node(18, 'Trilu', 'of a list', /Trilu ".*matrices/, m => [m.input([4])]),
  node(22, 'LpNormalization', 'of another norm', /LpNormalization ".*1 and 2 are allowed/, m => [m.input([4])], {
    p: 3
  }),
  node(18, 'LpPool', 'of no norm', /LpPool ".*p is 0/, m => [m.input([1, 2, 4, 4])], { p: 0, kernel_shape: [2, 2] }),
  node(18, 'Det', 'of what is not square', /Det ".*square/, m => [m.input([3, 4])]),
  node(18, 'Col2Im', 'other columns than blocks', /Col2Im ".*columns/, m => [
    m.input([1, 5, 6]),
    m.ints([5, 5]),
    m.ints([1, 5])
  ]),
  node(18, 'CenterCropPad', 'fewer sizes than axes', /CenterCropPad ".*sizes/, m => [m.input([5, 5]), m.ints([3])]),
  node(
    18,
    'ReverseSequence',
    'other axes',
    /ReverseSequence ".*time_axis/,
    m => [m.input([5, 5, 5]), m.input([5], 'int64')],
    {
      time_axis: 2
    }
  ),
  node(18, 'Compress', 'more flags than elements', /Compress ".*at most/, m => [m.input([5]), m.input([6], 'bool')]),
  node(19, 'DeformConv', 'offsets of another shape', /DeformConv ".*offsets/, m => [
    m.input([1, 2, 5, 5]),
    m.weights([2, 2, 3, 3]),
    m.input([1, 9, 3, 3])
  ]),
  node(18, 'ReduceMax', 'axes that only a run knows', /ReduceMax ".*known when compiling/, m => [
    m.input([3, 4]),
    m.input([1], 'int64')
  ]),
  node(18, 'Split', 'other outputs than num_outputs', /Split ".*1/, m => [m.input([3, 4])], { num_outputs: 2 }),
  node(
    18,
    'Resize',
    'an unknown policy',
    /Resize ".*keep_aspect_ratio_policy/,
    m => [m.input([1, 3, 4, 4]), undefined, undefined, m.ints([1, 3, 8, 8])],
    {
      keep_aspect_ratio_policy: 'fit'
    }
  ),
  node(
    18,
    'Resize',
    'fewer axes than sizes',
    /Resize ".*sizes/,
    m => [m.input([1, 3, 4, 4]), undefined, undefined, m.ints([8, 8, 8])],
    {
      axes: [2, 3]
    }
  ),
  node(18, 'Pad', 'fewer axes than pads', /Pad ".*pads/, m => [
    m.input([3, 4]),
    m.ints([1, 1, 1, 1]),
    undefined,
    m.ints([1])
  ]),
  node(
    18,
    'ScatterND',
    'an unknown reduction',
    /ScatterND ".*mean/,
    m => [m.input([3, 4]), m.ints([0]), m.input([4])],
    { reduction: 'mean' }
  ),
  node(23, 'RMSNormalization', 'a scale that is larger', /RMSNormalization ".*broadcast/, m => [
    m.input([3, 4]),
    m.weights([2, 3, 4])
  ]),
  node(22, 'Dropout', 'training', /Dropout ".*training/, m => [
    m.input([3, 4]),
    m.scalar(0.5),
    m.constant({ dtype: 'bool', dims: [], data: [1] })
  ]),
  node(20, 'Gelu', 'an unknown approximation', /Gelu ".*approximate/, m => [m.input([3, 4])], { approximate: 'cubic' })
]
