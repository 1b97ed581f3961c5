// Products of 8-bit integers, and quantised graphs: results are the same whole numbers as onnxruntime's. Scales are such
// that a product of a sum is exact in single precision, so that ties are ties on every backend.
import { type Case, c, floats, given, type Operand, one, scalar, typed, x } from '../../support/cases/case.js'
import { float } from '../../support/onnx/model.js'

const u8 = (operand: Operand) => typed(operand, 'uint8', [0, 255])
const i8 = (operand: Operand) => typed(operand, 'int8', [-128, 127])
const small = (operand: Operand) => typed(operand, 'int8', [-20, 20])
const byte = (value: number) => scalar(value, 'uint8')
const signed = (value: number) => scalar(value, 'int8')
const padded = { pads: [1, 1, 1, 1] }

const integers: readonly Case[] = [
  one('ConvInteger', 'ConvInteger', [u8(x(1, 3, 7, 8)), u8(c(5, 3, 3, 3)), byte(113), byte(7)], padded),
  one('ConvInteger without zero points', 'ConvInteger', [u8(x(2, 4, 6, 5)), u8(c(8, 4, 3, 3))]),
  one(
    'ConvInteger of many channels',
    'ConvInteger',
    [u8(x(1, 16, 8, 8)), u8(c(16, 16, 3, 3)), byte(128), byte(130)],
    padded
  ),
  one('ConvInteger in groups', 'ConvInteger', [u8(x(1, 6, 9, 7)), u8(c(6, 2, 3, 3)), byte(3)], {
    group: 3,
    strides: [2, 1]
  }),
  one('ConvInteger, depthwise', 'ConvInteger', [u8(x(1, 8, 9, 7)), u8(c(8, 1, 3, 3)), byte(100)], {
    ...padded,
    group: 8
  }),
  one('ConvInteger of one pixel', 'ConvInteger', [u8(x(1, 8, 5, 5)), u8(c(12, 8, 1, 1)), byte(99)]),
  one(
    'ConvInteger of computed weights',
    'ConvInteger',
    [u8(x(1, 3, 6, 6)), u8(x(4, 3, 3, 3)), byte(9), byte(200)],
    padded
  ),
  one('MatMulInteger', 'MatMulInteger', [u8(x(4, 9)), u8(c(9, 6)), byte(12), byte(100)]),
  one('MatMulInteger, signed', 'MatMulInteger', [u8(x(4, 9)), i8(c(9, 6)), byte(12), signed(-5)]),
  one('MatMulInteger, a zero point a column', 'MatMulInteger', [
    u8(x(4, 9)),
    i8(c(9, 3)),
    byte(12),
    given([1, -2, 3], [3], 'int8')
  ]),
  one('MatMulInteger of a batch', 'MatMulInteger', [u8(x(2, 3, 4, 5)), u8(x(3, 5, 6)), byte(7)]),
  one(
    'MatMulInteger with Cast and scale',
    'MatMulInteger',
    [u8(x(4, 9)), i8(c(9, 6)), byte(12)],
    {},
    {
      next: [
        { op: 'Cast', attributes: { to: 1 } },
        { op: 'Mul', operands: [floats(0.25)] }
      ]
    }
  )
]

/** Sums of two such numbers and their product with 2^-11 have few bits. */
const linear = (y: Operand, w: Operand, weightZero: Operand, scale = scalar(2 ** -6)) => [
  scalar(2 ** -4),
  y,
  w,
  scale,
  weightZero
]

const conv = (
  name: string,
  dims: number[],
  weights: number[],
  attributes: Case['attributes'] = {},
  bias?: Operand
): Case => {
  const [xScale, zero, w, wScale, wZero] = linear(byte(120), small(c(...weights)), signed(0))
  return one(
    `QLinearConv, ${name}`,
    'QLinearConv',
    [u8(x(...dims)), xScale, zero, w, wScale, wZero, scalar(2), byte(100), bias],
    attributes
  )
}

const linears: readonly Case[] = [
  conv('padded', [1, 3, 7, 8], [5, 3, 3, 3], padded),
  conv('with a bias', [2, 4, 6, 6], [8, 4, 3, 3], padded, typed(c(8), 'int32', [-900, 900])),
  conv('strided', [1, 8, 9, 9], [6, 8, 3, 3], { strides: [2, 2] }),
  conv('in groups', [1, 8, 6, 6], [8, 4, 3, 3], { group: 2 }),
  conv('depthwise', [1, 8, 6, 6], [8, 1, 3, 3], { ...padded, group: 8 }),
  conv('of one pixel', [1, 16, 5, 5], [8, 16, 1, 1]),
  one(
    'QLinearConv, a scale a filter',
    'QLinearConv',
    [
      u8(x(1, 4, 6, 6)),
      scalar(2 ** -4),
      byte(128),
      small(c(3, 4, 3, 3)),
      floats(2 ** -6, 2 ** -5, 3 * 2 ** -7),
      given([0, 0, 0], [3], 'int8'),
      scalar(1),
      byte(128)
    ],
    padded
  ),
  one(
    'QLinearConv, signed',
    'QLinearConv',
    [
      i8(x(1, 4, 6, 6)),
      scalar(2 ** -4),
      signed(-3),
      small(c(6, 4, 3, 3)),
      scalar(2 ** -6),
      signed(0),
      scalar(1),
      signed(5)
    ],
    padded
  ),
  one('QLinearMatMul', 'QLinearMatMul', [
    u8(x(4, 12)),
    scalar(2 ** -4),
    byte(120),
    u8(c(12, 6)),
    scalar(2 ** -6),
    byte(128),
    scalar(4),
    byte(100)
  ]),
  one(
    'QLinearMatMul, signed, a scale a column',
    'QLinearMatMul',
    [
      i8(x(4, 12)),
      scalar(2 ** -4),
      signed(20),
      i8(c(12, 3)),
      floats(2 ** -6, 2 ** -7, 2 ** -5),
      given([0, 0, 0], [3], 'int8'),
      scalar(4),
      signed(-10)
    ],
    {},
    { opset: 21 }
  ),
  one('QLinearMatMul of a batch', 'QLinearMatMul', [
    u8(x(2, 3, 5)),
    scalar(2 ** -4),
    byte(120),
    u8(x(2, 5, 4)),
    scalar(2 ** -6),
    byte(128),
    scalar(2),
    byte(100)
  ])
]

/** Differences from these zero points take nine bits. */
const nineBits: readonly Case[] = [
  one(
    'QLinearConv, weights of nine bits',
    'QLinearConv',
    [u8(x(2, 5, 7, 6)), ...linear(byte(120), u8(c(9, 5, 3, 3)), byte(31)), scalar(8), byte(100)],
    padded
  ),
  one('QLinearMatMul, weights of nine bits', 'QLinearMatMul', [
    ...[u8(x(7, 13)), scalar(2 ** -4), byte(120), u8(c(13, 10)), scalar(2 ** -6), byte(190), scalar(4), byte(100)]
  ])
]

/** Those that onnxruntime's quantiser writes; scales are powers of two, so that ties are ties on every backend. */
const fourth = [scalar(2 ** -2), byte(128)]
/** No tie in sight: some of onnxruntime's kernels for these round ties up. */
const uneven = scalar(0.4037)
const contributed: readonly Case[] = [
  ...['QLinearAdd', 'QLinearMul'].flatMap(op => [
    one(op, `com.microsoft:${op}`, [
      u8(x(2, 3, 5, 4)),
      ...fourth,
      u8(x(2, 3, 5, 4)),
      scalar(2 ** -3),
      byte(7),
      ...fourth
    ]),
    one(`${op}, a channel for all pixels`, `com.microsoft:${op}`, [
      ...[i8(x(1, 9, 3, 4)), scalar(2 ** -4), signed(3)],
      ...[i8(x(1, 9, 1, 1)), scalar(2 ** -3), signed(-7), uneven, signed(1)]
    ])
  ]),
  one('QLinearAveragePool', 'com.microsoft:QLinearAveragePool', [u8(x(1, 9, 6, 6)), ...fourth, uneven, byte(9)], {
    kernel_shape: [2, 2],
    strides: [2, 2]
  }),
  one('QLinearGlobalAveragePool', 'com.microsoft:QLinearGlobalAveragePool', [
    ...[u8(x(2, 5, 4, 4)), ...fourth, scalar(2 ** -3), byte(100)]
  ]),
  one('QLinearLeakyRelu', 'com.microsoft:QLinearLeakyRelu', [u8(x(2, 3, 7)), ...fourth, ...fourth], {
    alpha: float(0.125)
  }),
  one(
    'QLinearConcat',
    'com.microsoft:QLinearConcat',
    [...[scalar(2 ** -2), byte(90), u8(x(1, 3, 4, 5)), scalar(2 ** -3), byte(128), u8(x(1, 6, 4, 5)), ...fourth]],
    { axis: 1 }
  ),
  one('QGemm', 'com.microsoft:QGemm', [
    ...[u8(x(5, 21)), scalar(2 ** -4), byte(120), small(c(21, 11)), scalar(2 ** -6), signed(0)],
    ...[typed(c(11), 'int32', [-900, 900]), scalar(2), byte(100)]
  ]),
  one(
    'MaxPool between layers of bytes',
    'com.microsoft:QLinearLeakyRelu',
    [u8(x(1, 20, 7, 9)), ...fourth, ...fourth],
    { alpha: float(0.5) },
    {
      next: [
        { op: 'MaxPool', attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] } },
        { op: 'Transpose', attributes: { perm: [0, 2, 3, 1] } },
        { op: 'DequantizeLinear', operands: fourth }
      ]
    }
  )
]

/** A range of 255 steps of a quarter, so that the scale is exact; ties are common. */
const quarters = given([-15, 48.75, 0, 0.125, 0.375, -0.125, 7.5, -3.625, 30.875, 20.125], [2, 5])

const eighths = (count: number) => Array.from({ length: count }, (_, i) => (((i * 29 + 7) % 31) - 15) / 8)

/** Sums of eighths are exact where no transform is in between. */
const exact = { options: { winograd: 0 } } as const

export const integer: readonly Case[] = [
  ...integers,
  ...linears,
  ...nineBits,
  ...contributed,
  one(
    'DynamicQuantizeLinear',
    'Cast',
    [typed(x(2, 5), 'int32', [0, 0])],
    { to: 1 },
    {
      next: [
        { op: 'Add', operands: [quarters] },
        { op: 'DynamicQuantizeLinear', outputs: 3 }
      ]
    }
  ),
  one(
    'quantised convolution',
    'DequantizeLinear',
    [u8(x(1, 4, 7, 7)), scalar(2 ** -4), byte(120)],
    {},
    {
      ...exact,
      next: [
        { op: 'Conv', operands: [given(eighths(5 * 4 * 9), [5, 4, 3, 3])], attributes: padded },
        { op: 'Relu' },
        { op: 'QuantizeLinear', operands: [scalar(2 ** -3), byte(10)] },
        { op: 'DequantizeLinear', operands: [scalar(2 ** -3), byte(10)] }
      ]
    }
  )
]
