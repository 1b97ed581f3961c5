// Quantised networks on layers of bytes, each layer against onnxruntime's plain graph of it: the same integers, or off by one where a
// tie rounds. CAIRN_RANDOM_SEEDS sets how many random networks (500 for acceptance), CAIRN_RANDOM_SEED repeats one.
import ort from 'onnxruntime-node'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { quantizedModel } from '../../bench/int8/qdq.js'
import { build } from '../../compiler/index.js'
import { presentBackends } from '../support/cairn.js'
import { compareLayers, mostTies } from '../support/network/compare-layers.js'
import { quantisableNetwork } from '../support/network/quantisable.js'
import { float, ModelBuilder } from '../support/onnx/model.js'
import { type Named, randomFeeds } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'

const test = suite(`layers of bytes (seed ${baseSeed})`)
const backends = await presentBackends()

const tensorsOf = (feeds: Named) =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, { dims, data }]) => [
      name,
      new ort.Tensor('float32', Float32Array.from(data), [...dims])
    ])
  )

const fixedSeed = process.env.CAIRN_RANDOM_SEED
const count = fixedSeed ? 1 : Number(process.env.CAIRN_RANDOM_SEEDS ?? 40)
const total = { elements: 0, ties: 0 }

for (let i = 0; i < count; i++) {
  const seed = fixedSeed ? Number(fixedSeed) : baseSeed + i
  test(`network ${seed}`, async () => {
    const random = new Random('bytes', seed)
    const network = quantisableNetwork(random)
    const options = { activations: random.pick(['uint8', 'int8'] as const), perChannel: random.chance(0.6) }
    const draw = () => randomFeeds(network.inputs, random)
    const model = await quantizedModel(network.encode(), [tensorsOf(draw()), tensorsOf(draw())], options)
    const { elements, ties } = await compareLayers({ model, feeds: draw() }, backends)
    total.elements += elements
    total.ties += ties
  })
}

/** What an operator gives, and its input, between QuantizeLinear and DequantizeLinear. */
function through(m: ModelBuilder, value: string, steps: number, zero: number): string {
  const levels = [m.scalar(1 / steps), m.constant({ dtype: 'uint8', dims: [], data: [zero] })]
  return m.add('DequantizeLinear', [m.add('QuantizeLinear', [value, ...levels]), ...levels])
}

async function compareAll(m: ModelBuilder, random: Random, kernels: readonly string[]): Promise<void> {
  const model = m.encode()
  const { program } = build(model)
  assert.equal(program.calls.map(({ kernel }) => program.kernels[kernel].name).sort(), kernels)
  const { elements, ties } = await compareLayers({ model, feeds: randomFeeds(m.inputs, random) }, backends)
  assert.ok(ties <= elements / 200, `${ties} of ${elements}`)
}

test('parts of a Split are bytes as well', async () => {
  const random = new Random('bytes, split')
  const m = new ModelBuilder(random, 17)
  const parts = m.addMany('Split', [through(m, m.input([2, 8, 5, 6]), 64, 120), m.ints([3, 5])], 2, { axis: 1 })
  const [left, right] = parts.map(part => through(m, part, random.int(50, 80), random.int(100, 150)))
  m.output(through(m, m.add('Concat', [right, left], { axis: -3 }), 60, 128))
  await compareAll(m, random, ['dequantize', 'lookup', 'lookup', 'quantize'])
})

test('a function of a function is one table', async () => {
  const random = new Random('bytes, tables')
  const m = new ModelBuilder(random, 17)
  const curve = through(
    m,
    m.add('LeakyRelu', [through(m, m.input([2, 7, 9]), 60, 130)], { alpha: float(0.25) }),
    70,
    90
  )
  m.output(through(m, m.add('Sigmoid', [curve]), 255, 0))
  await compareAll(m, random, ['dequantize', 'lookup', 'quantize'])
})

test('a mean without its axes is bytes', async () => {
  const random = new Random('bytes, means')
  const m = new ModelBuilder(random, 17)
  const mean = m.add('ReduceMean', [through(m, m.input([3, 9, 6, 7]), 60, 130)], { axes: [2, 3], keepdims: 0 })
  m.output(through(m, m.add('Sigmoid', [through(m, mean, 150, 120)]), 255, 0))
  await compareAll(m, random, ['dequantize', 'lookup', 'pool8', 'quantize'])
})

test('ties are rare', () => {
  console.log(`${total.ties} of ${total.elements} integers are off by one`)
  assert.ok(total.ties <= mostTies * total.elements)
})

test.run()
