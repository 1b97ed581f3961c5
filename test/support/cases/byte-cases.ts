// Cases of the kernels on bytes: odd sizes, every kind of window, the ends of the range, numbers next to ties.
import type { Value } from '../../../compiler/graph/index.js'
import type { Random } from '../random.js'
import { type ByteCase, type ByteLayers, free } from './byte-layers.js'

const image = (m: ByteLayers, ...shape: number[]) => m.bytes(shape)

function conv(name: string, input: readonly number[], weights: readonly number[], attributes = {}): ByteCase {
  return { name: `conv8, ${name}`, make: m => m.conv(image(m, ...input), weights, attributes) }
}

/** Sums as they are, about a zero point that a run gives. */
function sums(name: string, input: readonly number[], weights: readonly number[], attributes = {}): ByteCase {
  return {
    name: `conv32, ${name}`,
    make(m) {
      const zero = m.floats([1])
      const [op, x] = input.length > 2 ? ['Conv32', image(m, ...input)] : ['Gemm32', m.bytes(input)]
      return m.add(op, [x, m.weights(weights), zero], attributes)
    },
    feeds: random => [
      [random.int(0, 255)],
      random.ints(
        input.reduce((a, b) => a * b, 1),
        [0, 255]
      )
    ]
  }
}

const exact: readonly ByteCase[] = [
  sums('3×3', [2, 9, 7, 8], [13, 9, 3, 3], { pads: [1, 1, 1, 1] }),
  sums('2 groups, strides', [1, 8, 9, 9], [12, 4, 3, 2], { group: 2, strides: [2, 1], pads: [1, 0, 0, 1] }),
  sums('3×3, as large as transforms take', [1, 24, 9, 11], [13, 24, 3, 3], { pads: [1, 1, 1, 1] }),
  sums('dilation', [1, 16, 8, 8], [8, 16, 3, 3], { dilations: [1, 2] }),
  sums('one filter a channel', [1, 12, 6, 6], [12, 1, 3, 3], { group: 12, pads: [1, 1, 1, 1] }),
  sums('rows', [13, 50], [50, 21]),
  sums('a row, sums of more than 24 bits', [1, 1500], [1500, 40])
]

const convolutions: readonly ByteCase[] = [
  conv('1 channel', [1, 1, 9, 7], [7, 3, 3], { pads: [1, 1, 1, 1] }),
  conv('3 channels, strides', [2, 3, 15, 13], [17, 3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }),
  conv('5 channels, dilation', [1, 5, 11, 12], [9, 3, 2], { dilations: [2, 3], pads: [2, 0, 1, 2] }),
  conv('8 channels', [1, 8, 10, 10], [16, 3, 3], { pads: [1, 1, 1, 1] }),
  conv('13 channels', [2, 13, 6, 5], [20, 2, 3], { pads: [0, 1, 1, 1], strides: [1, 2] }),
  conv('many channels', [1, 36, 9, 9], [40, 3, 3], { pads: [1, 1, 1, 1] }),
  conv('1 filter', [1, 7, 5, 5], [1, 3, 3]),
  conv('pointwise', [2, 24, 7, 5], [17, 1, 1]),
  conv('pointwise with strides', [1, 12, 7, 7], [8, 1, 1], { strides: [2, 2] }),
  conv('2 groups', [1, 6, 8, 7], [10, 3, 3], { group: 2, pads: [1, 1, 1, 1] }),
  conv('3 groups of 12', [2, 36, 5, 5], [36, 3, 3], { group: 3, pads: [1, 1, 1, 1] }),
  conv('2 groups, pointwise', [1, 16, 5, 6], [24, 1, 1], { group: 2 }),
  conv('1-D', [2, 5, 31], [9, 5], { strides: [2], pads: [2, 2] }),
  conv('3-D', [1, 3, 5, 6, 4], [7, 2, 3, 3], { pads: [0, 1, 1, 1, 1, 1] }),
  conv('wide padding', [1, 4, 3, 3], [8, 3, 3], { pads: [4, 4, 4, 4] }),
  conv('depthwise', [2, 13, 9, 8], [13, 3, 3], { group: 13, pads: [1, 1, 1, 1] }),
  conv('depthwise, strides, 8 channels', [1, 8, 9, 8], [8, 3, 3], { group: 8, strides: [2, 2], pads: [0, 1, 1, 1] }),
  conv('depthwise, dilation', [1, 5, 12, 12], [5, 5, 3], { group: 5, dilations: [2, 2], pads: [4, 2, 4, 2] }),
  conv('depthwise, 1×1', [2, 21, 6, 5], [21, 1, 1], { group: 21 }),
  conv('depthwise, 1×1, padded behind', [1, 20, 6, 5], [20, 1, 1], { group: 20, pads: [0, 0, 1, 2] }),
  conv('depthwise, 5×5', [1, 18, 9, 11], [18, 5, 5], { group: 18, pads: [2, 2, 2, 2] }),
  conv('depthwise, 5×5, strides', [1, 7, 12, 11], [7, 5, 5], { group: 7, strides: [2, 2], pads: [2, 2, 2, 2] }),
  conv('depthwise, wide rows', [1, 17, 4, 75], [17, 3, 3], { group: 17, pads: [1, 1, 1, 1] }),
  conv('depthwise, wide rows, strides', [1, 9, 5, 75], [9, 3, 3], { group: 9, strides: [2, 2], pads: [1, 1, 1, 1] }),
  conv('depthwise, 7×7', [1, 16, 9, 70], [16, 7, 7], { group: 16, pads: [3, 3, 3, 3] }),
  conv('depthwise, far apart', [1, 5, 7, 90], [5, 2, 2], { group: 5, strides: [3, 17] }),
  conv('3×3, many columns', [1, 24, 11, 61], [19, 3, 3], { pads: [1, 1, 1, 1] }),
  conv('3×3, 2 images, odd sizes', [2, 33, 7, 5], [16, 3, 3], { pads: [1, 0, 0, 1] }),
  conv('3×3 of 2 groups', [1, 48, 9, 6], [24, 3, 3], { group: 2, pads: [1, 1, 1, 1] }),
  conv('depthwise, 1-D', [3, 6, 20], [6, 5], { group: 6, pads: [2, 2] }),
  {
    name: 'conv8, large enough for large tiles',
    make: m => m.conv(image(m, 1, 32, 100, 90), [64, 1, 1])
  },
  {
    name: 'conv8 and depthwise8 between others of a concatenation',
    make(m) {
      const x = m.conv(image(m, 2, 3, 6, 7), [5, 1, 1])
      const parts = [
        m.conv(x, [3, 3, 3], { pads: [1, 1, 1, 1] }),
        m.conv(x, [5, 1, 1], { group: 5 }),
        m.conv(x, [4, 1, 1])
      ]
      return m.conv(m.add('Concat', parts, { axis: 1 }), [6, 3, 3])
    }
  },
  {
    name: 'conv8 of free sizes',
    bindings: [
      { N: 1, H: 6 },
      { N: 3, H: 11 }
    ],
    make: m => m.conv(m.bytes([free('N'), 3, free('H'), 8]), [10, 3, 3], { pads: [1, 1, 1, 1] })
  }
]

/** Sums and halves of sums, of a scale that leaves them exact. */
function ties(scale: number): ByteCase {
  return {
    name: `gemm8, ties of steps of ${scale}`,
    make(m, random) {
      const weights = m.numbers(random.ints(6 * 24, [-3, 3]), [6, 24], 'int8')
      const vectors = [m.numbers(new Array(24).fill(scale)), m.numbers(random.ints(24, [-90, 90]).map(b => b * scale))]
      return m.add('Gemm8', [m.bytes([40, 6]), weights, ...vectors], { yZero: random.int(0, 255) })
    },
    feeds: random => [random.ints(40 * 6, [0, 40])]
  }
}

const products: readonly ByteCase[] = [
  ...[
    [1, 5, 7],
    [2, 64, 33],
    [7, 13, 17],
    [17, 1, 1],
    [33, 37, 9],
    [50, 48, 40]
  ].map(
    ([rows, inner, columns]): ByteCase => ({
      name: `gemm8, ${rows}×${inner}×${columns}`,
      make: m => m.gemm(m.bytes([rows, inner]), columns, rows % 2)
    })
  ),
  ...[0.5, 0.25, 0.125, 1.5].map(ties),
  {
    name: 'gemm8, ties behind a product that is rounded',
    make(m, random) {
      const columns = 256
      const weights = m.numbers(new Array(columns).fill(1), [1, columns], 'int8')
      const scale = Array.from({ length: columns }, () => Math.fround(random.uniform(0.2, 1)))
      // Joined with the product into one operation, the sum would be beside the tie.
      const bias = scale.map((each, i) => random.int(0, 255) + 0.5 - Math.fround(i * each))
      return m.add('Gemm8', [m.bytes([256, 1]), weights, m.numbers(scale), m.numbers(bias)])
    },
    feeds: () => [all()]
  },
  {
    name: 'gemm8, the largest sums',
    make(m, random) {
      const weights = m.numbers(
        random.ints(1100 * 12, [0, 1]).map((sign, i) => (i % 12 < 4 ? sign * 255 - 128 : i % 2 ? 127 : -128)),
        [1100, 12],
        'int8'
      )
      const scale = Array.from({ length: 12 }, () => 2 ** -random.int(18, 20) * random.uniform(1, 2))
      return m.add('Gemm8', [m.bytes([9, 1100]), weights, m.numbers(scale), m.numbers(random.values(12))], {
        yZero: 128
      })
    },
    feeds: random => [random.ints(9 * 1100, [0, 9]).map(each => (each ? 255 : 0))]
  },
  {
    name: 'gemm8, sums of more digits than a float has',
    make(m, random) {
      const [rows, inner, columns] = [24, 900, 8]
      const weights = random.ints(inner * columns, [110, 127]).map((w, i) => (i % 2 ? w : -w))
      // About 250 * 118 * 900, of which the bias leaves what two elements do, in steps of the distance of two such floats.
      const bias = Array.from({ length: columns }, (_, column) =>
        weights.reduce((sum, w, i) => (i % columns === column ? sum - 125 * w : sum), 0)
      )
      const vectors = [m.numbers(new Array(columns).fill(0.5)), m.numbers(bias)]
      return m.add('Gemm8', [m.bytes([rows, inner]), m.numbers(weights, [inner, columns], 'int8'), ...vectors], {
        yZero: 128
      })
    },
    feeds: random => [
      Array.from({ length: 24 }, () => {
        const row = new Array<number>(900).fill(250)
        for (let i = 0; i < 2; i++) row[random.int(0, 899)] = random.pick([249, 251])
        return row
      }).flat()
    ]
  }
]

const pool = (name: string, input: readonly number[], attributes: Record<string, number[] | number>): ByteCase => ({
  name: `pool8, ${name}`,
  make: (m, random) =>
    ['max', 'mean', 'paddedMean'].map(kind => {
      const [xZero, yZero] = random.ints(2, [118, 138])
      const own = { kind, xZero, yZero, low: 20, high: 230, scale: random.uniform(0.5, 2) }
      return m.add('Pool8', [m.bytes(input)], { ...attributes, ...own })
    })
})

const pools: readonly ByteCase[] = [
  pool('3 channels', [2, 3, 9, 8], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
  pool('8 channels', [1, 8, 7, 7], { kernel_shape: [2, 2], strides: [2, 2] }),
  pool('dilation', [1, 5, 12, 11], { kernel_shape: [3, 2], dilations: [2, 3], pads: [2, 1, 2, 2] }),
  {
    ...pool('the whole', [2, 13, 7, 6], { kernel_shape: [7, 6] }),
    feeds: random => [1, 2, 3].map(() => random.ints(2 * 13 * 7 * 6, [0, 255]))
  },
  pool('1-D', [1, 4, 17], { kernel_shape: [5], strides: [3], pads: [2, 2], ceil_mode: 1 }),
  pool('3-D', [1, 2, 5, 4, 6], { kernel_shape: [2, 3, 2], pads: [1, 1, 0, 0, 1, 1] })
]

const moved = (m: ByteLayers, x: Value, random: Random) =>
  m.add('Lookup', [x], { table: Array.from({ length: 256 }, () => random.int(0, 255)) })

const lookups: readonly ByteCase[] = [
  { name: 'lookup of every byte', make: (m, random) => moved(m, m.bytes([256]), random), feeds: () => [all()] },
  { name: 'lookup of pixels', make: (m, random) => moved(m, moved(m, m.bytes([2, 5, 4, 3]), random), random) }
]

const all = () => Array.from({ length: 256 }, (_, i) => i)

/** How operands hold every pair of bytes: rows of the first are of one byte each, or those of the second. */
const pairings8 = {
  'of all bytes': { a: [256, 1], b: [1, 256], rows: 'a' },
  'of all pairs': { a: [256, 256], b: [256, 256], rows: 'a' },
  'of all rows': { a: [256, 256], b: [1, 256], rows: 'a' },
  'by all rows': { a: [1, 256], b: [256, 256], rows: 'b' }
} as const

/** Every pair of bytes. */
const pairs = (kind: string, what: string, scales: (random: Random) => number[]): ByteCase[] =>
  Object.entries(pairings8).map(([how, { a, b, rows }]) => ({
    name: `binary8, ${what} ${how}`,
    make(m, random) {
      const [left, right] = [m.bytes(a), m.bytes(b)]
      return Array.from({ length: how === 'of all bytes' ? 6 : 3 }, () => {
        const [aScale, bScale, yScale] = scales(random)
        const [aZero, bZero, yZero] = random.ints(3, [90, 160])
        return m.add('Binary8', [left, right], { ...m.bounds(), kind, aZero, bZero, aScale, bScale, yScale, yZero })
      })
    },
    feeds: () => [numbered(a, rows === 'a'), numbered(b, rows === 'b')]
  }))

/** Numbers of the rows, or of the columns. */
const numbered = ([rows, columns]: readonly [number, number], byRow: boolean) =>
  Array.from({ length: rows * columns }, (_, i) => (byRow ? Math.floor(i / columns) : i % columns))

const pairings: readonly ByteCase[] = [
  ...pairs('add', 'sums', random => [random.uniform(0.5, 2), random.uniform(0.01, 2), random.uniform(0.5, 3)]),
  ...pairs('mul', 'products', random => [random.uniform(0.01, 0.1), random.uniform(0.5, 2), random.uniform(0.5, 3)]),
  ...pairs('mul', 'small products', random => [random.uniform(0.001, 0.01), 0.7, random.uniform(0.5, 3)]),
  ...pairs('add', 'sums next to ties', random => [1, 0.5, random.pick([1, 2, 4, 3, 6])]),
  ...pairs('mul', 'products next to ties', random => [0.125, 0.75, random.pick([3, 6, 9, 0.375])]),
  ...pairs('mul', 'small products next to ties', random => [2 ** -7, 0.75, random.pick([3, 6, 9])]),
  ...['add', 'mul'].map(
    (kind): ByteCase => ({
      name: `binary8, ${kind} of rows of any length`,
      make: (m, random) =>
        [5, 16, 27, 43].flatMap(width => {
          const a = m.bytes([2, 9, width])
          return [[2, 9, width], [2, 1, width], [width]].map(shape =>
            m.add('Binary8', [a, m.bytes(shape)], {
              ...{ ...m.bounds(), kind, aZero: 117, bZero: 3, yZero: 120 },
              ...{ aScale: random.uniform(0.005, 0.02), bScale: random.uniform(0.005, 0.02), yScale: 0.03 }
            })
          )
        })
    })
  ),
  {
    name: 'binary8 with broadcasting, in the place of an operand',
    make(m, random) {
      const x = moved(m, m.bytes([2, 5, 4, 3]), random)
      const sum = m.add('Binary8', [x, m.bytes([5, 1, 1])], { kind: 'add', bScale: 0.7, yScale: 1.3 })
      return m.add('Binary8', [sum, m.bytes([2, 1, 1, 3])], { kind: 'mul', aScale: 0.1, bScale: 0.3, yScale: 1.7 })
    }
  }
]

const scales = [1, 0.1, 1 / 3, 0.0123, 2 ** -5, 3 * 2 ** -7, 1e5, 1.7e-30, 0.99999994, 1.0000001, 1.9999999]

/** Numbers of which many are as near to a tie as floats are. */
function nearTies(random: Random, scale: number): number[] {
  const bits = new Int32Array(1)
  const floats = new Float32Array(bits.buffer)
  return Array.from({ length: 600 }, () => {
    floats[0] = (random.int(-300, 300) + 0.5) * Math.fround(scale)
    bits[0] += random.int(-3, 3)
    return floats[0]
  })
}

const odd = [0, -0, Number.NaN, Infinity, -Infinity, 3e38, -3e38, 1e-45, -1e-45, 1e-38, 0.5, -0.5, 1.5, 254.5, 255.5]

const quantisations: readonly ByteCase[] = [
  ...scales.map(
    (scale): ByteCase => ({
      name: `quantize by ${scale}`,
      make: (m, random) => m.bytes([5, 4, 31], scale, random.int(0, 255)),
      feeds: random => [
        [...nearTies(random, scale), ...odd, ...Array.from({ length: 5 }, () => random.uniform(-200, 200) * scale)]
      ]
    })
  ),
  {
    name: 'quantize and dequantize',
    make: (m, random) => {
      const scale = random.uniform(0.01, 2)
      const there = m.bytes([2, 3, 5, 4], scale, 100)
      const back = m.add('DequantizeLinear', [
        there,
        // Far smaller than the other it would leave one number.
        m.numbers([scale * random.uniform(0.1, 10)], []),
        m.numbers([77], [], 'uint8')
      ])
      return m.add('QuantizeLinear', [back, m.numbers([scale], []), m.numbers([3], [], 'uint8')])
    }
  }
]

export const byteCases: readonly ByteCase[] = [
  ...convolutions,
  ...exact,
  ...products,
  ...pools,
  ...lookups,
  ...pairings,
  ...quantisations
]
