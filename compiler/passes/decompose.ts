import { isFound, product } from '../algebra/index.js'
import { isConstant, type Value } from '../graph/index.js'
import { countOutputs, fillInputs, inferNode, Writer } from '../infer/index.js'
import { axisFor, intsOf, ops } from '../ops/index.js'
import { removeKnown } from './fold/fold-constants.js'
import { count, type Pass } from './pass.js'
import { col2im, deformConv } from './spellings/conv/columns.js'
import { concatCounted, gatherCounted, meanCounted, padCounted } from './spellings/counted.js'
import { einsum } from './spellings/dense/einsum.js'
import { integers } from './spellings/dense/integer.js'
import { bitShift } from './spellings/elementwise/bits.js'
import { dequantizeLinear, dynamicQuantizeLinear, quantizeLinear } from './spellings/elementwise/quantize.js'
import { affineGrid } from './spellings/image/affinegrid.js'
import { centerCropPad } from './spellings/movement/crop.js'
import { gatherElements } from './spellings/movement/gather.js'
import { oneHot } from './spellings/movement/onehot.js'
import { eyeLike, hardmax, reverseSequence, trilu } from './spellings/movement/positions.js'
import { gatherND, maxPool, maxUnpool, scatterND } from './spellings/movement/scatter.js'
import { softmaxCrossEntropy } from './spellings/norm/loss.js'
import {
  batchNormalization,
  layerNormalization,
  meanVarianceNormalization,
  rmsNormalization
} from './spellings/norm/norms.js'
import { globalLpPool, lpNormalization, lpPool } from './spellings/pool/lp.js'
import { recurrent } from './spellings/recurrent/recurrent.js'
import { filled, giveOutput, type Rewrite } from './spellings/rewrite.js'
import { bounds, withBounds } from './spellings/search/bounds.js'
import { compress } from './spellings/search/nonzero.js'
import { dft, stft } from './spellings/signal/fourier.js'

/** Spells compound operators with the few that have kernels; what a spelling is made of may be spelled in turn. */
export const decompose: Pass = {
  name: 'decompose',
  run(graph) {
    let rewritten = 0
    const left = [...graph.nodes].reverse()
    for (let node = left.pop(); node; node = left.pop()) {
      // What was spelled in front of it may be known now.
      if (node.inputs.length && node.inputs.every(input => !input || isConstant(input))) inferNode(node, graph.folding)
      const write = new Writer(graph, node.name, node)
      const value = ops[node.op].takes?.(node) ? undefined : rewrites[node.op]?.(write, node)
      if (value) graph.bypass(node, value)
      else fillInputs(write, node)
      left.push(...write.made.reverse())
      rewritten += Number(value !== undefined)
    }
    countOutputs(graph, new Writer(graph, 'count'))
    removeKnown(graph)
    return count(rewritten, 'node')
  }
}

const chain =
  (op: string): Rewrite =>
  (write, node) =>
    (node.inputs as Value[]).reduce((sum, input) => write.add(op, [sum, input]))

const mean: Rewrite = (write, node) => {
  const sum = (node.inputs as Value[]).reduce((a, b) => write.add('Add', [a, b]))
  return write.add('Mul', [sum, write.scalar(1 / node.inputs.length)])
}

/** Block rearrangements are a reshape that splits, a transpose, and a reshape that joins (ONNX operator text). */
const depthToSpace: Rewrite = (write, node) => {
  const x = node.inputs[0]!
  const [n, , h, w] = x.shape
  const b = node.number('blocksize', 1)
  const depth = node.output.shape[1]
  const columnsFirst = node.text('mode', 'DCR') === 'CRD'
  const split = write.reshape(x, columnsFirst ? [n, depth, b, b, h, w] : [n, b, b, depth, h, w])
  const moved = write.add('Transpose', [split], { perm: columnsFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2] })
  return write.reshape(moved, node.output.shape)
}

const spaceToDepth: Rewrite = (write, node) => {
  const [n, c] = node.inputs[0]!.shape
  const b = node.number('blocksize', 1)
  const [, , oh, ow] = node.output.shape
  const split = write.reshape(node.inputs[0]!, [n, c, oh, b, ow, b])
  return write.reshape(write.add('Transpose', [split], { perm: [0, 3, 5, 1, 2, 4] }), node.output.shape)
}

/** A product with a constant matrix is a Gemm over all rows at once; vectors become matrices of one row or column. */
const matmul: Rewrite = (write, node) => {
  const [a, b] = node.inputs as Value[]
  if (a.rank === 1 || b.rank === 1) {
    const left = a.rank === 1 ? write.reshape(a, [1, a.shape[0]]) : a
    const right = b.rank === 1 ? write.reshape(b, [b.shape[0], 1]) : b
    return write.reshape(write.add('MatMul', [left, right]), node.output.shape)
  }
  if (a.rank === 2) return write.add('Gemm', [a, b])
  const rows = write.reshape(a, [product(a.shape.slice(0, -1)), a.shape[a.rank - 1]])
  return write.reshape(write.add('Gemm', [rows, b]), node.output.shape)
}

/** A Gemm keeps constant weights and a bias per column; scales go into the constants, anything else beside it. */
const gemm: Rewrite = (write, node) => {
  const [a, b, c] = node.inputs as (Value | undefined)[]
  const alpha = node.number('alpha', 1)
  const beta = node.number('beta', 1)
  const rows = node.number('transA', 0) ? write.add('Transpose', [a], { perm: [1, 0] }) : a!
  let product: Value
  if (isConstant(b)) {
    const scaled = write.graph.constant(
      write.graph.unique(node.name),
      b.data.map(x => alpha * x) as Float32Array,
      b.shape as number[]
    )
    product = write.add('Gemm', [rows, scaled], { transB: node.number('transB', 0) })
  } else {
    const right = node.number('transB', 0) ? write.add('Transpose', [b], { perm: [1, 0] }) : b!
    product = write.add('MatMul', [rows, right])
    if (alpha !== 1) product = write.add('Mul', [product, write.scalar(alpha)])
  }
  if (!c || beta === 0) return product
  return write.add('Add', [product, beta === 1 ? c : write.add('Mul', [c, write.scalar(beta)])])
}

const alignAxes: Rewrite = (write, node) => write.reshape(node.inputs[0]!, node.output.shape)

/** Bounds that only a run knows. */
const clip: Rewrite = (write, node) => {
  const [x, low, high] = node.inputs
  const raised = low ? write.add('Max', [x, low]) : x!
  return high ? write.add('Min', [raised, high]) : raised
}

/** max(0, x) + min(0, alpha (e^(x / alpha) - 1)), which is a Selu of x / alpha. */
const celu: Rewrite = (write, node) => {
  const alpha = node.number('alpha', 1)
  return write.add('Selu', [write.add('Div', [node.inputs[0], write.scalar(alpha)])], { alpha: 1, gamma: alpha })
}

/** At inference the mask is all true. */
const dropout: Rewrite = (write, node) => {
  const [x] = node.inputs
  if (node.outputs[1]) giveOutput(write, node, 1, filled(write, x!.shape, 1, 'bool'))
  return x
}

/** An axis a Tile where all at once would be more loops than copies have. */
const tile: Rewrite = (write, node) => {
  const repeats = intsOf(node, 1, 'repeats')!
  const repeated = repeats.flatMap((times, axis) => (times === 1 ? [] : [axis]))
  return repeated.reduce<Value>(
    (value, only) => write.add('Tile', [value, write.sizes(repeats.map((times, axis) => (axis === only ? times : 1)))]),
    node.inputs[0]!
  )
}

/** Along what only a run finds by positions from its beginning; then indices are looked at. */
const gather: Rewrite = (write, node) =>
  isFound(node.inputs[0]!.shape[axisFor(node)]) ? gatherCounted(write, node) : withBounds(axisFor)(write, node)

const rewrites: Readonly<Record<string, Rewrite>> = {
  Sum: chain('Add'),
  Max: chain('Max'),
  Min: chain('Min'),
  Mean: mean,
  AlignAxes: alignAxes,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  MatMul: matmul,
  Gemm: gemm,
  Tile: tile,
  Clip: clip,
  Celu: celu,
  Dropout: dropout,
  Einsum: einsum,
  Concat: concatCounted,
  Pad: padCounted,
  ReduceMean: meanCounted,
  GatherElements: gatherElements,
  Gather: gather,
  Scatter: withBounds(axisFor),
  ScatterElements: withBounds(axisFor),
  Bounds: bounds,
  OneHot: oneHot,
  BitShift: bitShift,
  LpPool: lpPool,
  GlobalLpPool: globalLpPool,
  LpNormalization: lpNormalization,
  Trilu: trilu,
  EyeLike: eyeLike,
  Hardmax: hardmax,
  ReverseSequence: reverseSequence,
  CenterCropPad: centerCropPad,
  Col2Im: col2im,
  DeformConv: deformConv,
  AffineGrid: affineGrid,
  Compress: compress,
  GatherND: gatherND,
  ScatterND: scatterND,
  MaxPool: maxPool,
  MaxUnpool: maxUnpool,
  SoftmaxCrossEntropyLoss: softmaxCrossEntropy,
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  MeanVarianceNormalization: meanVarianceNormalization,
  RMSNormalization: rmsNormalization,
  RNN: recurrent,
  GRU: recurrent,
  LSTM: recurrent,
  DFT: dft,
  STFT: stft,
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
  DynamicQuantizeLinear: dynamicQuantizeLinear,
  ...integers
}
