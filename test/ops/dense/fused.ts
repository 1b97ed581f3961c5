// What onnxruntime's optimiser writes for several operators, as far as its CPU path runs it.
import { c, given, one, typed, x } from '../../support/cases/case.js'
import { float } from '../../support/onnx/model.js'

const ms = (name: string) => `com.microsoft:${name}`
const floats = (...values: number[]) => ({ floats: values })
const free = [
  { N: 2, S: 3 },
  { N: 1, S: 5 }
]

const activations: readonly [string, readonly number[]][] = [
  ['Relu', []],
  ['Sigmoid', []],
  ['Tanh', []],
  ['LeakyRelu', [0.15]],
  ['Clip', [-0.5, 0.75]],
  ['HardSigmoid', [0.3, 0.4]]
]

/** Those that FusedGemm has besides, with their attributes. */
const ofGemm: readonly [string, Readonly<Record<string, number>>][] = [
  ['Elu', { alpha: 0.6 }],
  ['Selu', { alpha: 1.3, gamma: 0.8 }],
  ['ThresholdedRelu', { alpha: 0.4 }],
  ['Softplus', {}],
  ['Softsign', {}]
]

const convs = [
  ...activations.map(([activation, params]) =>
    one(`FusedConv, ${activation}`, ms('FusedConv'), [x(2, 3, 7, 9), c(5, 3, 3, 3), c(5)], {
      ...{ activation, kernel_shape: [3, 3], pads: [1, 1, 1, 1] },
      ...(params.length ? { activation_params: floats(...params) } : {})
    })
  ),
  one('FusedConv without an activation', ms('FusedConv'), [x(1, 4, 6, 6), c(6, 4, 1, 1)], { kernel_shape: [1, 1] }),
  one(
    'FusedConv, grouped and strided, with a sum',
    ms('FusedConv'),
    [x(1, 4, 9, 8), c(6, 2, 3, 3), c(6), x(1, 6, 5, 4)],
    {
      ...{ activation: 'Relu', group: 2, strides: [2, 2], kernel_shape: [3, 3], pads: [1, 1, 1, 1] }
    }
  ),
  one('FusedConv, a sum without a bias', ms('FusedConv'), [x(1, 3, 6, 6), c(4, 3, 3, 3), undefined, x(1, 4, 4, 4)], {
    ...{ activation: 'Relu', kernel_shape: [3, 3] }
  })
]

const products = [
  one('FusedMatMul', ms('FusedMatMul'), [x(4, 5), c(5, 6)], { alpha: float(0.3) }),
  one('FusedMatMul, transA', ms('FusedMatMul'), [x(5, 4), c(5, 6)], { transA: 1 }),
  one('FusedMatMul, transB', ms('FusedMatMul'), [x(2, 3, 4, 5), x(2, 3, 6, 5)], { transB: 1, alpha: float(0.5) }),
  one('FusedMatMul, both', ms('FusedMatMul'), [x(3, 5, 4), x(3, 6, 5)], { transA: 1, transB: 1 }),
  one('FusedMatMul, transBatchA', ms('FusedMatMul'), [x(4, 2, 3, 5), x(2, 3, 5, 6)], { transBatchA: 1 }),
  one('FusedMatMul, transBatchB and transB', ms('FusedMatMul'), [x(3, 4, 5), x(6, 3, 5)], {
    transBatchB: 1,
    transB: 1
  }),
  one('FusedMatMul, all four', ms('FusedMatMul'), [x(5, 2, 3, 4), x(6, 2, 3, 5)], {
    ...{ transBatchA: 1, transA: 1, transBatchB: 1, transB: 1, alpha: float(0.25) }
  }),
  one('FusedMatMul of a vector', ms('FusedMatMul'), [x(3, 4, 5), c(5)], { alpha: float(2) }),
  ...activations
    .filter(([name]) => name !== 'Clip')
    .map(([activation, [alpha, beta]]) =>
      one(`FusedGemm, ${activation}`, ms('FusedGemm'), [x(4, 5), c(6, 5), c(6)], {
        ...{ activation, transB: 1, alpha: float(0.7), beta: float(0.5) },
        ...(alpha === undefined ? {} : { activation_alpha: float(alpha) }),
        ...(beta === undefined ? {} : { activation_beta: float(beta) })
      })
    ),
  ...ofGemm.map(([activation, numbers]) =>
    one(`FusedGemm, ${activation}`, ms('FusedGemm'), [x(4, 5), c(5, 6), c(6)], {
      activation,
      ...Object.fromEntries(Object.entries(numbers).map(([name, value]) => [`activation_${name}`, float(value)]))
    })
  ),
  one('FusedGemm, transA', ms('FusedGemm'), [x(5, 4), c(5, 6), c(6)], { activation: 'Relu', transA: 1 })
]

const gelus = [
  one('Gelu of com.microsoft', ms('Gelu'), [x(3, 4, 5)]),
  one('QuickGelu', ms('QuickGelu'), [x(3, 4, 5)]),
  one('QuickGelu, alpha', ms('QuickGelu'), [x(3, 4, 5)], { alpha: float(1.1) }),
  one('FastGelu', ms('FastGelu'), [x(3, 4, 5)]),
  one('FastGelu with a bias', ms('FastGelu'), [x(3, 4, 5), c(5)]),
  one('BiasGelu', ms('BiasGelu'), [x('N', 'S', 5), c(5)], {}, { bindings: free })
]

const norms = [
  one(
    'LayerNormalization of onnxruntime before opset 17',
    'LayerNormalization',
    [x(2, 3, 8), c(8), c(8)],
    {},
    { opset: 13 }
  ),
  one('SimplifiedLayerNormalization', 'SimplifiedLayerNormalization', [x('N', 'S', 8), c(8)], {}, { bindings: free }),
  one('SimplifiedLayerNormalization, epsilon', 'SimplifiedLayerNormalization', [x(2, 3, 8), c(8)], {
    ...{ axis: -1, epsilon: float(0.1) }
  }),
  one('SkipLayerNormalization', ms('SkipLayerNormalization'), [x(2, 3, 8), x(2, 3, 8), c(8), c(8), c(8)], {
    epsilon: float(1e-5)
  }),
  one('SkipLayerNormalization without biases', ms('SkipLayerNormalization'), [x(2, 3, 8), x(2, 3, 8), c(8)], {
    epsilon: float(0.1)
  }),
  one(
    'SkipLayerNormalization, a skip of one batch',
    ms('SkipLayerNormalization'),
    [x(2, 3, 8), x(3, 8), c(8), c(8)],
    {}
  ),
  one(
    'SkipSimplifiedLayerNormalization',
    ms('SkipSimplifiedLayerNormalization'),
    [x(2, 3, 8), x(2, 3, 8), c(8), c(8)],
    {
      epsilon: float(1e-5)
    }
  )
]

const kept = (...rows: (readonly number[])[]) => given(rows.flat(), [rows.length, rows[0].length], 'int32')

const attentions = [
  one('Attention', ms('Attention'), [x(2, 5, 8), c(8, 24), c(24)], { num_heads: 2 }),
  one(
    'Attention of free positions',
    ms('Attention'),
    [x('N', 'S', 8), c(8, 24), c(24)],
    { num_heads: 4 },
    { bindings: free }
  ),
  one('Attention, a scale', ms('Attention'), [x(1, 4, 6), c(6, 18), c(18)], { num_heads: 3, scale: float(0.9) }),
  one('Attention, sizes of its own', ms('Attention'), [x(2, 5, 8), c(8, 28), c(28)], {
    ...{ num_heads: 2, qkv_hidden_sizes: [8, 8, 12] }
  }),
  one('Attention, unidirectional', ms('Attention'), [x(2, 5, 8), c(8, 24), c(24)], { num_heads: 2, unidirectional: 1 }),
  one(
    'Attention with a mask of keys',
    ms('Attention'),
    [...[x(2, 4, 8), c(8, 24), c(24)], kept([1, 1, 1, 0], [1, 0, 1, 1])],
    { num_heads: 2 }
  ),
  // Where no key is looked at, onnxruntime's -10000 leaves of the scores what single precision has beside that: not drawn.
  one(
    'Attention with a mask that a run knows',
    ms('Attention'),
    [...[x(2, 8, 8), c(8, 24), c(24)], typed(x(2, 8), 'int32', [0, 4])],
    { num_heads: 2 }
  ),
  one('Attention with lengths', ms('Attention'), [...[x(2, 4, 8), c(8, 24), c(24)], given([3, 2], [2], 'int32')], {
    num_heads: 2
  }),
  one(
    'Attention with a bias of scores',
    ms('Attention'),
    [...[x(2, 4, 8), c(8, 24), c(24)], ...[undefined, undefined, x(2, 2, 4, 4)]],
    { num_heads: 2 }
  ),
  one('MultiHeadAttention', ms('MultiHeadAttention'), [x(2, 5, 8), x(2, 5, 8), x(2, 5, 8)], { num_heads: 2 }),
  one(
    'MultiHeadAttention of other keys, with a bias',
    ms('MultiHeadAttention'),
    [...[x(2, 3, 8), x(2, 5, 8), x(2, 5, 12)], c(28)],
    { num_heads: 2 }
  ),
  one(
    'MultiHeadAttention with keys in heads',
    ms('MultiHeadAttention'),
    [...[x(2, 3, 8), x(2, 2, 5, 4), x(2, 2, 5, 4)]],
    { num_heads: 2 }
  ),
  one(
    'MultiHeadAttention with a mask of keys',
    ms('MultiHeadAttention'),
    [...[x(2, 3, 8), x(2, 4, 8), x(2, 4, 8), undefined], kept([1, 1, 0, 1], [1, 1, 1, 0])],
    { num_heads: 2, scale: float(0.4) }
  ),
  one(
    'MultiHeadAttention with a bias of scores',
    ms('MultiHeadAttention'),
    [...[x(2, 3, 8), x(2, 4, 8), x(2, 4, 8), undefined, undefined], x(1, 2, 3, 4)],
    { num_heads: 2 }
  )
]

export const fused = [...convs, ...products, ...gelus, ...norms, ...attentions]
