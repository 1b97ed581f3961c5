// Models that must be refused, each with what the message has to name.
import type { onnx } from 'onnx-proto'
import { type Attributes, type Contents, encodeModel, float, ModelBuilder, sizeOf } from '../../support/onnx/model.js'
import { Random } from '../../support/random.js'

export interface Malformed {
  readonly name: string
  readonly model: () => Uint8Array
  readonly message: RegExp
}

type Make = (m: ModelBuilder) => string | readonly string[]

function made(make: Make, opset = 17): ModelBuilder {
  const m = new ModelBuilder(new Random('malformed', 1), opset)
  return m.output(...[make(m)].flat())
}

export const bad = (name: string, message: RegExp, make: Make, opset = 17): Malformed => ({
  name,
  message,
  model: () => made(make, opset).encode()
})

/** The same after a change of the protobuf. */
const changed = (
  name: string,
  message: RegExp,
  change: (proto: onnx.IModelProto, graph: onnx.IGraphProto) => void
): Malformed => ({
  name,
  message,
  model: () => {
    const proto = made(m => m.add('Relu', [m.add('Conv', [m.input([1, 3, 8, 8]), m.weights([4, 3, 3, 3])])])).proto()
    change(proto, proto.graph!)
    return encodeModel(proto)
  }
})

export const image = (m: ModelBuilder) => m.input([1, 4, 6, 7])
const conv = (name: string, attributes: Attributes, weights = [6, 4, 3, 3]) =>
  bad(`Conv: ${name}`, /Conv "conv_\d+"/, m => m.add('Conv', [image(m), m.weights(weights)], attributes))

/** One node with operands that do not fit it. */
const node = (
  op: string,
  name: string,
  operands: (m: ModelBuilder) => (string | undefined)[],
  attributes: Attributes = {},
  opset = 17
) =>
  bad(`${op}: ${name}`, new RegExp(`${op} "${op.toLowerCase()}_\\d+"`), m => m.add(op, operands(m), attributes), opset)

export const malformed: readonly Malformed[] = [
  bad('unknown operators, all at once', /FancyOp.*OtherOp|OtherOp.*FancyOp/, m =>
    m.add('OtherOp', [m.add('Relu', [m.add('FancyOp', [image(m)])])])
  ),
  bad('an operator of a custom domain', /com\.acme:Blend/, m => m.add('com.acme:Blend', [image(m)])),
  bad('an operator of a custom domain that ONNX has too', /com\.acme:Relu/, m => m.add('com.acme:Relu', [image(m)])),
  bad(
    'BatchNormalization: statistics of its batch that it does not keep',
    /BatchNormalization "batchnormalization_\d+": output "batchnormalization_\d+_1" is not supported/,
    m => m.addMany('BatchNormalization', [image(m), ...[4, 4, 4, 4].map(size => m.weights([size]))], 5),
    9
  ),
  bad("an operator of Cairn's own", /ai\.onnx:ScaleShift/, m => m.add('ScaleShift', [image(m), m.weights([4])])),
  node('GatherND', 'far more batch axes than axes', m => [m.input([3, 4]), m.constant(wholes([2, 1], 0))], {
    batch_dims: 2 ** 31
  }),
  bad('Einsum: an output that it does not have', /Einsum "einsum_\d+": output "einsum_\d+_1" is not supported/, m =>
    m.addMany('Einsum', [m.input([3, 4]), m.input([4, 5])], 2, { equation: 'ij,jk->ik' })
  ),
  bad('PRelu: an output that it does not have', /PRelu "prelu_\d+": output "prelu_\d+_1" is not supported/, m =>
    m.addMany('PRelu', [m.add('Conv', [image(m), m.weights([6, 4, 3, 3])]), m.scalar(0.1)], 2)
  ),
  bad('control flow', /Loop/, m => m.add('Loop', [m.ints([3]), undefined, image(m)])),
  bad('a condition that only a run knows', /If "if_\d+".*"x_\d+" is known only when it runs/, m =>
    m.add('If', [m.input([], 'bool')], {
      then_branch: m.branch(inner => inner.weights([3])),
      else_branch: m.branch(inner => inner.weights([3]))
    })
  ),
  bad('a condition without its branch', /If "if_\d+".*then_branch/, m => m.add('If', [m.constant(whole(1))])),
  bad('a branch of fewer outputs', /If "if_\d+".*1/, m =>
    m.addMany('If', [m.constant(whole(1))], 2, {
      then_branch: m.branch(inner => inner.add('Abs', [inner.weights([3])]))
    })
  ),
  bad('a branch with an operator that is not known', /Loop "inner loop_\d+#\d+"/, m =>
    m.add('If', [m.constant(whole(1))], { then_branch: m.branch(inner => inner.add('Loop', [inner.ints([3])])) })
  ),
  bad('a branch that reads what is nowhere', /"ghost"/, m =>
    m.add('If', [m.constant(whole(1))], { then_branch: m.branch(inner => inner.add('Abs', ['ghost'])) })
  ),
  bad('a branch whose output is nowhere', /If "if_\d+".*"ghost"/, m =>
    m.add('If', [m.constant(whole(1))], { then_branch: m.branch(() => 'ghost') })
  ),
  bad('sequences', /SequenceConstruct "sequenceconstruct_\d+"/, m => m.add('SequenceConstruct', [image(m)])),
  bad('a sequence in the place of a tensor', /Abs "abs_\d+": input .* is a sequence/, m =>
    m.add('Abs', [m.add('SequenceConstruct', [image(m)])])
  ),
  bad('a position behind a sequence', /SequenceAt "sequenceat_\d+": position 1 is outside a sequence of 1/, m =>
    m.add('SequenceAt', [m.add('SequenceConstruct', [image(m)]), m.constant(whole(1))])
  ),
  bad('a function that no gate has', /RNN "rnn_\d+": activation "Cosine"; relu, tanh/, m =>
    m.add('RNN', [m.input([2, 1, 3]), m.weights([1, 4, 3]), m.weights([1, 4, 4])], {
      activations: { strings: ['Cosine'] }
    })
  ),
  bad('recurrent weights of another size', /LSTM "lstm_\d+": W is .*12×3.*; .*16×3.* is needed/, m =>
    m.add('LSTM', [m.input([2, 1, 3]), m.weights([1, 12, 3]), m.weights([1, 16, 4])])
  ),
  bad('frames longer than the signal', /STFT "stft_\d+": has 8 samples; a frame of 16 at least is needed/, m =>
    m.add('STFT', [m.input([1, 8, 1]), m.constant(whole(4)), undefined, m.constant(whole(16))])
  ),
  changed('nothing', /graph/, proto => {
    proto.graph = undefined
  }),
  changed('no opset', /./, proto => {
    proto.opsetImport = []
  }),
  changed('an opset that is too old', /opset 5/, proto => {
    proto.opsetImport![0].version = 5
  }),
  changed('no outputs', /output/, (_, graph) => {
    graph.output = []
  }),
  changed('an output that nothing produces', /"ghost"/, (_, graph) => {
    graph.output!.push({ name: 'ghost' })
  }),
  changed('an input that nothing produces', /"ghost"/, (_, graph) => {
    graph.node![0].input![0] = 'ghost'
  }),
  changed('a value written twice', /twice/, (_, graph) => {
    graph.node![1].output = graph.node![0].output
  }),
  changed('a node that reads itself', /Relu/, (_, graph) => {
    graph.node![1].input = graph.node![1].output
  }),
  changed('a node without outputs', /Relu|relu|output/, (_, graph) => {
    graph.node![1].output = []
  }),
  changed('a negative dimension of an initializer', /c_\d+/, (_, graph) => {
    graph.initializer![0].dims = [-4, 3, 3, 3]
  }),
  changed('an initializer with too few bytes', /c_\d+/, (_, graph) => {
    graph.initializer![0].rawData = graph.initializer![0].rawData!.slice(4)
  }),
  changed('an initializer with too many bytes', /c_\d+/, (_, graph) => {
    graph.initializer![0].rawData = new Uint8Array(graph.initializer![0].rawData!.length + 4)
  }),
  changed('an initializer of strings', /c_\d+/, (_, graph) => {
    Object.assign(graph.initializer![0], {
      dataType: 8,
      rawData: undefined,
      stringData: [new Uint8Array([65])],
      dims: [1]
    })
  }),
  changed('an initializer without a type', /c_\d+/, (_, graph) => {
    graph.initializer![0].dataType = 0
  }),
  changed('sparse initializers', /sparse/, (_, graph) => {
    graph.sparseInitializer = [
      {
        dims: [3],
        values: { dims: [1], dataType: 1, floatData: [1] },
        indices: { dims: [1], dataType: 7, int64Data: [0] }
      }
    ]
  }),
  changed('an input that is a sequence', /x_0/, (_, graph) => {
    graph.input![0].type = { sequenceType: { elemType: graph.input![0].type } }
  }),
  changed('an input of strings', /x_0/, (_, graph) => {
    graph.input![0].type!.tensorType!.elemType = 8
  }),
  changed('an input without a type', /x_0/, (_, graph) => {
    graph.input![0].type = undefined
  }),
  changed('an input without a shape', /x_0/, (_, graph) => {
    graph.input![0].type!.tensorType!.shape = undefined
  }),
  changed('an input that is no longer there', /x_0/, (_, graph) => {
    graph.input = []
  }),
  conv('three strides', { strides: [1, 1, 1] }),
  conv('a stride of 0', { strides: [0, 1] }),
  conv('a negative stride', { strides: [-1, 1] }),
  conv('a dilation of 0', { dilations: [0, 1] }),
  conv('two pads', { pads: [1, 1] }),
  conv('negative pads', { pads: [-1, 0, 0, 0] }),
  conv('another kernel_shape', { kernel_shape: [5, 5] }),
  conv('three groups of four channels', { group: 3 }),
  conv('no groups', { group: 0 }),
  conv('other channels', {}, [6, 3, 3, 3]),
  conv('filters that groups do not divide', { group: 2 }, [5, 2, 3, 3]),
  conv('weights of rank 3', {}, [6, 4, 3]),
  conv('a kernel larger than the image', {}, [6, 4, 9, 9]),
  conv('an unknown auto_pad', { auto_pad: 'SOMEHOW' }),
  conv('kernel_shape as text', { kernel_shape: 'three' }),
  conv('strides as a number', { strides: 2 }),
  conv('empty filters', {}, [0, 4, 3, 3]),
  node('Conv', 'one input', m => [image(m)]),
  node('Conv', 'a bias of another size', m => [image(m), m.weights([6, 4, 3, 3]), m.weights([5])]),
  node('Conv', 'an input of rank 2', m => [m.input([3, 4]), m.weights([6, 4, 3, 3])]),
  node('ConvTranspose', 'other channels', m => [image(m), m.weights([5, 3, 2, 2])]),
  node('ConvTranspose', 'one stride', m => [image(m), m.weights([4, 3, 2, 2])], { strides: [2] }),
  node('ConvTranspose', 'one entry of output_shape', m => [image(m), m.weights([4, 3, 2, 2])], { output_shape: [9] }),
  node('Gemm', 'inner sizes that differ', m => [m.input([3, 4]), m.weights([5, 6])]),
  node('Gemm', 'rank 3', m => [m.input([2, 3, 4]), m.weights([4, 6])]),
  node('MatMul', 'inner sizes that differ', m => [m.input([3, 4]), m.weights([5, 6])]),
  node('MatMul', 'one input', m => [m.input([3, 4])]),
  ...([9, 12, 17] as const).map((opset, i) =>
    node(['Slice', 'ReduceSum', 'ReduceMax'][i], 'a later input', m => [m.input([4]), m.ints([0])], {}, opset)
  ),
  node('Add', 'shapes that do not broadcast', m => [m.input([3, 4]), m.input([3, 5])]),
  node('Add', 'one input', m => [m.input([3, 4])]),
  node('Concat', 'other sizes', m => [m.input([1, 2, 3]), m.input([1, 2, 4])], { axis: 1 }),
  node('Concat', 'an axis outside', m => [m.input([1, 2, 3]), m.input([1, 2, 3])], { axis: 3 }),
  node('Concat', 'other ranks', m => [m.input([1, 2, 3]), m.input([2, 3])], { axis: 0 }),
  node('Concat', 'no inputs', () => [], { axis: 0 }),
  node('Concat', 'a gap among its inputs', m => [m.input([2]), undefined, m.input([2])], { axis: 0 }),
  node('Sum', 'a gap among its inputs', m => [m.input([2]), undefined, m.input([2])]),
  node('Reshape', 'another number of elements', m => [m.input([3, 4]), m.ints([5, 2])]),
  node('Reshape', 'a rest that does not divide', m => [m.input([3, 4]), m.ints([5, -1])]),
  node('Reshape', 'two rests', m => [m.input([3, 4]), m.ints([-1, -1])]),
  node('Reshape', 'a shape that only a run knows', m => [m.input([3, 4]), m.input([2], 'int64')]),
  node('Reshape', 'a 0 behind the input', m => [m.input([3, 4]), m.ints([3, 4, 0])]),
  node('Transpose', 'no permutation', m => [m.input([3, 4])], { perm: [0, 0] }),
  node('Transpose', 'too short', m => [m.input([3, 4])], { perm: [0] }),
  node('Squeeze', 'an axis of size 3', m => [m.input([3, 4]), m.ints([0])]),
  node('Squeeze', 'an axis outside', m => [m.input([3, 4]), m.ints([5])]),
  node('Unsqueeze', 'the same axis twice', m => [m.input([3, 4]), m.ints([0, 0])]),
  node('Unsqueeze', 'an axis outside', m => [m.input([3, 4]), m.ints([7])]),
  node('Flatten', 'an axis outside', m => [m.input([3, 4])], { axis: 5 }),
  node('Slice', 'a step of 0', m => [m.input([3, 4]), m.ints([0]), m.ints([2]), m.ints([0]), m.ints([0])]),
  node('Slice', 'an axis outside', m => [m.input([3, 4]), m.ints([0]), m.ints([2]), m.ints([4])]),
  node('Slice', 'ends missing', m => [m.input([3, 4]), m.ints([0, 1]), m.ints([2])]),
  bad('Split: sizes that do not add up', /Split "split_\d+"/, m =>
    m.addMany('Split', [m.input([3, 4]), m.ints([1, 1])], 2, { axis: 0 })
  ),
  bad('Split: more parts than outputs', /Split "split_\d+"/, m =>
    m.addMany('Split', [m.input([3, 4]), m.ints([1, 1, 1])], 2, { axis: 0 })
  ),
  node('Expand', 'a shape that does not broadcast', m => [m.input([3, 4]), m.ints([3, 5])]),
  node('Tile', 'too few repeats', m => [m.input([3, 4]), m.ints([2])]),
  node('Tile', 'negative repeats', m => [m.input([3, 4]), m.ints([2, -1])]),
  node('Pad', 'too few pads', m => [m.input([3, 4]), m.ints([1, 1])]),
  node('Pad', 'an unknown mode', m => [m.input([3, 4]), m.ints([1, 1, 1, 1])], { mode: 'mirror' }),
  node('Gather', 'an axis outside', m => [m.input([3, 4]), m.ints([0])], { axis: 2 }),
  node('Gather', 'a constant index outside', m => [m.input([3, 4]), m.ints([3])]),
  node('ReduceMean', 'an axis outside', m => [m.input([3, 4])], { axes: [2] }),
  node('ArgMax', 'an axis outside', m => [m.input([3, 4])], { axis: 2 }),
  node('TopK', 'more than there are', m => [m.input([3, 4]), m.ints([5])]),
  bad('TopK: a number that only a run knows', /TopK "topk_\d+"/, m =>
    m.addMany('TopK', [m.input([3, 4]), m.input([1], 'int64')], 2)
  ),
  bad('TopK: none', /TopK "topk_\d+"/, m => m.addMany('TopK', [m.input([3, 4]), m.ints([0])], 2)),
  bad('TopK: an axis outside', /TopK "topk_\d+"/, m =>
    m.addMany('TopK', [m.input([3, 4]), m.ints([1])], 2, { axis: 2 })
  ),
  node('CumSum', 'an axis outside', m => [m.input([3, 4]), m.ints([2])]),
  node('CumSum', 'an axis that only a run knows', m => [m.input([3, 4]), m.input([1], 'int64')]),
  node('OneHot', 'a depth that only a run knows', m => [m.input([3], 'int64'), m.input([1], 'int64'), m.weights([2])]),
  node('OneHot', 'a depth of 0', m => [m.input([3], 'int64'), m.ints([0]), m.weights([2])]),
  node('OneHot', 'three values', m => [m.input([3], 'int64'), m.ints([4]), m.weights([3])]),
  node('GridSample', 'volumes', m => [m.input([1, 2, 3, 4, 5]), m.input([1, 3, 4, 5, 3])]),
  node('GridSample', 'another batch', m => [image(m), m.input([3, 2, 2, 2])]),
  node('GridSample', 'an unknown mode', m => [m.input([1, 2, 4, 4]), m.input([1, 2, 2, 2])], { mode: 'lanczos' }),
  node('RoiAlign', 'fewer images than regions', m => [image(m), m.input([3, 4]), m.input([2], 'int64')]),
  node('RoiAlign', 'less than no samples', m => [image(m), m.input([3, 4]), m.input([3], 'int64')], {
    sampling_ratio: -1
  }),
  node('RoiAlign', 'an unknown mode', m => [image(m), m.input([3, 4]), m.input([3], 'int64')], { mode: 'sum' }),
  node('NonMaxSuppression', 'fewer scores than boxes', m => [m.input([1, 9, 4]), m.input([1, 2, 8])]),
  node('NonMaxSuppression', 'boxes of five numbers', m => [m.input([1, 9, 5]), m.input([1, 2, 9])]),
  node('NonMaxSuppression', 'a number that only a run knows', m => [
    m.input([1, 9, 4]),
    m.input([1, 2, 9]),
    m.input([1], 'int64')
  ]),
  node('NonMaxSuppression', 'a limit that only a run knows', m => [
    m.input([1, 9, 4]),
    m.input([1, 2, 9]),
    m.ints([3]),
    m.input([1])
  ]),
  node('NonMaxSuppression', 'an overlap of more than all', m => [
    m.input([1, 9, 4]),
    m.input([1, 2, 9]),
    m.ints([3]),
    m.scalar(2)
  ]),
  node('Softmax', 'an axis outside', m => [m.input([3, 4])], { axis: -3 }),
  node('MaxPool', 'no kernel_shape', m => [image(m)]),
  node('MaxPool', 'a window larger than the image', m => [image(m)], { kernel_shape: [9, 9] }),
  node('MaxPool', 'a stride of 0', m => [image(m)], { kernel_shape: [2, 2], strides: [0, 1] }),
  node('MaxPool', 'rank 2', m => [m.input([3, 4])], { kernel_shape: [2, 2] }),
  node('GatherND', 'more coordinates than axes', m => [m.input([3, 4]), m.constant(wholes([2, 3], 0))]),
  node('GatherND', 'a constant index outside', m => [m.input([3, 4]), m.constant(wholes([2, 1], 3))]),
  node('GatherND', 'a batch of another size', m => [m.input([3, 4]), m.constant(wholes([2, 1], 0))], { batch_dims: 1 }),
  node('ScatterND', 'updates of another shape', m => [m.input([3, 4]), m.constant(wholes([2, 1], 1)), m.input([2, 3])]),
  node('ScatterElements', 'updates of another shape', m => [
    m.input([3, 4]),
    m.constant(wholes([2, 2], 1)),
    m.input([2, 3])
  ]),
  node('ScatterElements', 'more lines than there are', m => [
    m.input([3, 4]),
    m.constant(wholes([2, 5], 1)),
    m.input([2, 5])
  ]),
  node(
    'ScatterElements',
    'an unknown reduction',
    m => [m.input([3, 4]), m.constant(wholes([2, 2], 1)), m.input([2, 2])],
    { reduction: 'mean' },
    18
  ),
  node('MaxUnpool', 'indices of another shape', m => [image(m), m.constant(wholes([1, 4, 6, 6], 1))], {
    kernel_shape: [2, 2]
  }),
  node('Einsum', 'too few terms', m => [m.input([3, 4]), m.input([4, 5])], { equation: 'ij->ij' }),
  node('Einsum', 'sizes that differ', m => [m.input([3, 4]), m.input([3, 5])], { equation: 'ij,jk->ik' }),
  node('Einsum', 'a term of other rank', m => [m.input([3, 4])], { equation: 'ijk->k' }),
  node('Einsum', 'an output that no operand has', m => [m.input([3, 4])], { equation: 'ij->k' }),
  node('Einsum', 'two ellipses in a term', m => [m.input([3, 4])], { equation: '...i...->i' }),
  node('QLinearMatMul', 'to another type', m => [
    m.input([3, 4], 'uint8', [0, 255]),
    m.scalar(1),
    m.constant({ dtype: 'uint8', dims: [], data: [0] }),
    m.input([4, 5], 'uint8', [0, 255]),
    m.scalar(1),
    m.constant({ dtype: 'uint8', dims: [], data: [0] }),
    m.scalar(1),
    m.constant({ dtype: 'uint16', dims: [], data: [0] })
  ]),
  node('BatchNormalization', 'statistics of another size', m => [
    image(m),
    ...[0, 1, 2, 3].map(() => m.weights([5], [0.5, 1]))
  ]),
  node('BatchNormalization', 'three inputs', m => [image(m), m.weights([4]), m.weights([4])]),
  node('InstanceNormalization', 'a scale of another size', m => [image(m), m.weights([3]), m.weights([3])]),
  node('LayerNormalization', 'a scale of another size', m => [image(m), m.weights([6]), m.weights([6])]),
  node('Resize', 'scales that only a run knows', m => [image(m), undefined, m.input([4])]),
  node('Resize', 'a scale of 0', m => [
    image(m),
    undefined,
    m.constant({ dtype: 'float32', dims: [4], data: [1, 1, 0, 1] })
  ]),
  node('Resize', 'a scale that is no number', m => [
    image(m),
    undefined,
    m.constant({ dtype: 'float32', dims: [4], data: [1, 1, Number.NaN, 1] })
  ]),
  node('Resize', 'a negative scale', m => [
    image(m),
    undefined,
    m.constant({ dtype: 'float32', dims: [4], data: [1, 1, -2, 1] })
  ]),
  node('Resize', 'a scale that is no number, of a free size', m => [
    m.input([1, 4, 'height', 7]),
    undefined,
    m.constant({ dtype: 'float32', dims: [4], data: [1, 1, Number.NaN, 1] })
  ]),
  node('Expand', 'a thousand sizes', m => [image(m), m.weights([1000])]),
  node('Resize', 'two scales', m => [image(m), undefined, m.constant({ dtype: 'float32', dims: [2], data: [2, 2] })]),
  node(
    'Resize',
    'an unknown mode',
    m => [image(m), undefined, m.constant({ dtype: 'float32', dims: [4], data: [1, 1, 2, 2] })],
    { mode: 'lanczos' }
  ),
  node('DepthToSpace', 'channels that do not divide', m => [m.input([1, 6, 2, 2])], { blocksize: 2 }),
  node('SpaceToDepth', 'a size that does not divide', m => [m.input([1, 6, 3, 2])], { blocksize: 2 }),
  node('DepthToSpace', 'rank 3', m => [m.input([1, 8, 3])], { blocksize: 2 }),
  node('GlobalAveragePool', 'rank 2', m => [m.input([3, 4])]),
  node('LRN', 'no size', m => [image(m)]),
  node('Cast', 'to strings', m => [image(m)], { to: 8 }),
  node('Cast', 'to nothing', m => [image(m)]),
  node('Constant', 'of strings', () => [], { value_string: 'text' }),
  node('ConstantOfShape', 'a negative size', m => [m.ints([2, -3])]),
  node('Range', 'a step of 0', m => [m.constant(whole(0)), m.constant(whole(5)), m.constant(whole(0))]),
  node('Where', 'shapes that do not broadcast', m => [m.input([2], 'bool'), m.input([3]), m.input([3])]),
  node('Gelu', 'nothing to read', () => [], {}, 20),
  node(
    'GroupNormalization',
    'groups that do not divide',
    m => [image(m), m.weights([4]), m.weights([4])],
    { num_groups: 3, epsilon: float(1e-5) },
    21
  )
]

const wholes = (dims: number[], value: number): Contents => {
  return { dtype: 'int64', dims, data: new Array(sizeOf(dims)).fill(value) }
}

const whole = (value: number) => wholes([], value)
