// Ranges, weights and biases of the quantiser by themselves: choosers against brute force, equalisation and corrected biases against
// what they promise.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Graph } from '../../compiler/graph/index.js'
import { build } from '../../compiler/index.js'
import { emitOnnx } from '../../compiler/onnx/index.js'
import { calibrate } from '../../compiler/quantise/calibrate.js'
import { equalise } from '../../compiler/quantise/equalise.js'
import { Histogram } from '../../compiler/quantise/histogram.js'
import { insertQuantisation, type Settings } from '../../compiler/quantise/insert.js'
import { planOf } from '../../compiler/quantise/plan.js'
import { prepared } from '../../compiler/quantise/prepare.js'
import { type Chooser, chooseRange, errorOf, scaleOfRange } from '../../compiler/quantise/ranges.js'
import { Running } from '../../compiler/quantise/session.js'
import { biasOfRounding, quantiseWeights } from '../../compiler/quantise/weights.js'
import { encode } from '../../runtime/file/index.js'
import { InferenceSession } from '../../runtime/index.js'
import { numbersOfTensors, tensorsOf } from '../support/cairn.js'
import { assertClose } from '../support/compare.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { randomFeeds } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'

const test = suite(`ranges (seed ${baseSeed})`)
const random = new Random('ranges')

const normal = () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())

/** Activations as networks have them: bells, one-sided ones, and some with few that are far away. */
const shapes: Readonly<Record<string, () => number>> = {
  uniform: () => random.uniform(-1, 3),
  normal,
  'behind a Relu': () => Math.max(normal(), 0),
  'behind a Clip': () => Math.min(Math.max(3 * normal(), 0), 6),
  'far ends': () => normal() * (random.chance(0.001) ? 60 : 1),
  'below 0': () => -Math.abs(normal())
}

const drawn = (draw: () => number) => Float32Array.from({ length: 20000 }, draw)

function histogramOf(data: Float32Array): Histogram {
  const histogram = new Histogram(Math.min(0, ...data), Math.max(0, ...data))
  histogram.add(data)
  return histogram
}

/** Mean squared error of the data themselves. */
function exactError(data: Float32Array, low: number, high: number): number {
  const { scale, zero } = scaleOfRange({ low, high })
  let sum = 0
  for (const x of data) sum += (x - (Math.min(Math.max(Math.round(x / scale) + zero, 0), 255) - zero) * scale) ** 2
  return sum / data.length
}

for (const [name, draw] of Object.entries(shapes)) {
  test(`${name}: the error that is told is the data's`, () => {
    const data = drawn(draw)
    const histogram = histogramOf(data)
    for (const share of [1, 0.7, 0.3]) {
      const range = { low: histogram.low * share, high: histogram.high * share }
      const [told, exact] = [errorOf(histogram, range), exactError(data, range.low, range.high)]
      assert.ok(Math.abs(told - exact) < 0.1 * exact, `${told} for ${exact} at ${share}`)
    }
  })

  test(`${name}: no range of a fine grid is much better than the one that is chosen`, () => {
    const data = drawn(draw)
    const histogram = histogramOf(data)
    const chosen = chooseRange(histogram)
    assert.ok(chosen.low <= 0 && chosen.high >= 0)
    let least = Number.POSITIVE_INFINITY
    // By 64ths, as choosers go: the best of coarser steps may lie between two of theirs.
    for (let a = 1; a <= 64; a++)
      for (let b = 1; b <= 64; b++)
        least = Math.min(least, errorOf(histogram, { low: (histogram.low * a) / 64, high: (histogram.high * b) / 64 }))
    assert.ok(chosen.error <= 1.02 * least, `${chosen.error} by ${chosen.chooser}, ${least} by trying all`)
    for (const chooser of ['min-max', 'percentile', 'mse', 'entropy'] as Chooser[])
      assert.ok(chosen.error <= chooseRange(histogram, [chooser]).error, chooser)
  })
}

test('percentiles cut off the share that they say', () => {
  const histogram = histogramOf(drawn(normal))
  const { clipped } = chooseRange(histogram, ['percentile'])
  assert.ok(clipped <= 1e-3)
  const { low, high, clipped: none } = chooseRange(histogram, ['min-max'])
  assert.equal([low, high, none], [histogram.low, histogram.high, 0])
})

test('nothing but zeros, and one number', () => {
  assert.equal(scaleOfRange(chooseRange(histogramOf(new Float32Array(9)))), { scale: 1, zero: 0 })
  for (const value of [7, -0.25]) {
    const { scale, zero } = scaleOfRange(chooseRange(histogramOf(new Float32Array(9).fill(value))))
    const byte = Math.min(Math.max(Math.round(value / scale) + zero, 0), 255)
    assert.ok(Math.abs((byte - zero) * scale - value) < 1e-3 * Math.abs(value))
  }
})

test('0 is a byte of every range, and steps of weights are even about it', () => {
  for (let i = 0; i < 100; i++) {
    const { scale, zero } = scaleOfRange({ low: -random.uniform(0, 5), high: random.uniform(0, 5) })
    assert.ok(Number.isInteger(zero) && zero >= 0 && zero <= 255 && scale > 0)
  }
  const graph = new Graph('weights')
  for (const axis of [0, 1]) {
    const shape = [random.int(2, 9), random.int(2, 9), 3]
    const count = shape.reduce((a, b) => a * b)
    const weights = graph.constant('w', Float32Array.from(random.values(count)), shape)
    const { data, scale } = quantiseWeights(weights, axis, undefined, 1)
    const largest = new Float64Array(shape[axis])
    for (let i = 0; i < count; i++) {
      const f = Math.floor(i / (axis ? 3 : 3 * shape[1])) % shape[axis]
      assert.ok(Math.abs(data[i] * scale[f] - weights.data![i]) <= 0.501 * scale[f])
      largest[f] = Math.max(largest[f], Math.abs(data[i]))
    }
    assert.ok(largest.every(most => most === 127))
  }
})

test('a small filter with a large bias keeps the bias within 32 bits', () => {
  const weights = new Graph('w').constant('w', Float32Array.of(1e-12, 1), [2, 1])
  const { scale } = quantiseWeights(weights, 0, Float32Array.of(100, 100), 1e-3)
  for (const step of scale) assert.ok(100 / (step * 1e-3) < 2 ** 31)
})

test('what rounding weights adds to means is told: sums over inputs of those means agree', () => {
  const [filters, perGroup, groups] = [6, 4, 2]
  const shape = [filters, perGroup, 3, 3]
  const count = shape.reduce((a, b) => a * b)
  const weights = new Graph('w').constant('w', Float32Array.from(random.values(count)), shape)
  const quantised = quantiseWeights(weights, 0, undefined, 1)
  const means = Float64Array.from(random.values(perGroup * groups))
  const shift = biasOfRounding(weights, 0, quantised, groups, means)
  for (let f = 0; f < filters; f++) {
    const group = f < filters / groups ? 0 : 1
    let [float, whole] = [0, 0]
    for (let i = 0; i < perGroup * 9; i++) {
      const mean = means[group * perGroup + Math.floor(i / 9)]
      float += weights.data![f * perGroup * 9 + i] * mean
      whole += quantised.data[f * perGroup * 9 + i] * quantised.scale[f] * mean
    }
    assert.ok(Math.abs(whole - float - shift[f]) < 1e-5)
  }
})

/** Convolutions whose channels span very different ranges, plain, in groups and depthwise. */
function uneven(): ModelBuilder {
  const m = new ModelBuilder(random)
  const spread = (dims: number[]) => {
    const perFilter = dims.slice(1).reduce((a, b) => a * b, 1)
    const factors = Array.from({ length: dims[0] }, () => 10 ** random.uniform(-1, 1))
    const data = random.values(dims[0] * perFilter, [-0.5, 0.5]).map((w, i) => w * factors[Math.floor(i / perFilter)])
    return m.constant({ dtype: 'float32', dims, data })
  }
  const x = m.input([1, 4, 9, 9])
  const first = m.add('Relu', [m.add('Conv', [x, spread([8, 4, 3, 3]), spread([8])])])
  const depthwise = m.add('LeakyRelu', [m.add('Conv', [first, spread([8, 1, 3, 3]), spread([8])], { group: 8 })])
  const grouped = m.add('Conv', [depthwise, spread([6, 4, 1, 1])], { group: 2 })
  return m.output(m.add('Conv', [grouped, spread([5, 6, 1, 1])]))
}

test('equalising keeps the function and evens out the channels', async () => {
  const m = uneven()
  const bytes = m.encode()
  const graph = prepared(bytes, {})
  const span = () =>
    graph.nodes
      .filter(({ op }) => op === 'Conv')
      .slice(0, -1)
      .map(({ inputs: [, weights] }) => {
        const [filters] = weights!.shape as number[]
        const size = weights!.data!.length / filters
        const most = Array.from({ length: filters }, (_, f) =>
          Math.max(...Array.from(weights!.data!.slice(f * size, (f + 1) * size), Math.abs))
        )
        return Math.max(...most) / Math.min(...most)
      })
  const before = span()
  assert.is(equalise(graph), 3)
  const behind = span()
  const mean = (list: number[]) => list.reduce((sum, each) => sum + Math.log(each), 0)
  assert.ok(mean(behind) < mean(before), `${before} → ${behind}`)
  const feeds = randomFeeds(m.inputs, random)
  const outputs = []
  for (const model of [bytes, emitOnnx(graph, bytes)]) {
    const { program, summary } = build(model)
    const session = await InferenceSession.create(encode(program, summary))
    outputs.push(numbersOfTensors(await session.run(tensorsOf(feeds))))
    await session.release()
  }
  assertClose(outputs[1], outputs[0])
})

test('corrected biases lower the error of the means', async () => {
  const m = new ModelBuilder(random)
  // Few weights a filter and inputs far from 0: what rounding adds does not cancel.
  const x = m.input([1, 3, 12, 12], 'float32', [0.5, 3])
  const conv = m.add('Conv', [x, m.weights([256, 3, 1, 1]), m.weights([256])])
  m.output(m.add('Conv', [m.add('Relu', [conv]), m.weights([256, 1, 3, 3]), m.weights([256])], { group: 256 }))
  const bytes = m.encode()
  const feeds = Array.from({ length: 4 }, () => randomFeeds(m.inputs, random))
  const prepare = prepared(bytes, {})
  const { observed, count } = await calibrate(prepare, bytes, planOf(prepare, new Set()), feeds, {})
  assert.is(count, 4)
  const scales = new Map([...observed].map(([name, { histogram }]) => [name, scaleOfRange(histogram)]))
  const means = new Map([...observed].flatMap(([name, each]) => (each.means ? [[name, each.means] as const] : [])))
  const meansOf = async (settings: Settings | undefined): Promise<Float64Array> => {
    const graph = prepared(bytes, {})
    if (settings) insertQuantisation(graph, planOf(graph, new Set()), settings)
    const running = await Running.open(emitOnnx(graph, bytes))
    const sums = new Float64Array(256)
    for (const feed of feeds) {
      const [{ data }] = await running.run(feed)
      for (let i = 0; i < data.length; i++) sums[Math.floor(i / 100)] += data[i]
    }
    await running.release()
    return sums
  }
  const float = await meansOf(undefined)
  const error = async (settings: Settings) =>
    (await meansOf(settings)).reduce((sum, each, c) => sum + (each - float[c]) ** 2, 0)
  const [plain, corrected] = [await error({ scales }), await error({ scales, means })]
  assert.ok(corrected < plain, `${corrected} for ${plain}`)
})

test.run()
