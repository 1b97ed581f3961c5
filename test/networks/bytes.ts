// Quantised networks on layers of bytes, each layer against onnxruntime's plain graph of it: the same integers, or off by one where a
// tie rounds. CAIRN_RANDOM_SEEDS sets how many random networks (500 for acceptance), CAIRN_RANDOM_SEED repeats one.
import ort from 'onnxruntime-node'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { quantizedModel } from '../../bench/int8/qdq.js'
import { build } from '../../compiler/index.js'
import { compileModel, presentBackends, Runner } from '../support/cairn.js'
import { Guarded } from '../support/guarded.js'
import { quantisableNetwork } from '../support/network/quantisable.js'
import { type Bindings, type Named, type Numbers, Oracle, randomFeeds } from '../support/onnx/oracle.js'
import { apart, withLayers } from '../support/onnx/quantised.js'
import { baseSeed, Random } from '../support/random.js'

const test = suite(`layers of bytes (seed ${baseSeed})`)
const backends = await presentBackends()

/** Ties, of which onnxruntime's floats round some the other way. */
const mostTies = 1e-3

const tensorsOf = (feeds: Named) =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, { dims, data }]) => [
      name,
      new ort.Tensor('float32', Float32Array.from(data), [...dims])
    ])
  )

interface Quantised {
  readonly model: Uint8Array
  readonly feeds: Named
  readonly bindings?: Bindings
}

/** Largest scale that separates neighbouring levels of what a tensor holds. */
function stepOf({ data }: Numbers): number {
  const levels = [...new Set(Array.from(data))].sort((a, b) => a - b)
  return levels.reduce(
    (least, level, i) => (i ? Math.min(least, level - levels[i - 1]) : least),
    Number.POSITIVE_INFINITY
  )
}

async function compareLayers({ model, feeds, bindings = {} }: Quantised): Promise<{ elements: number; ties: number }> {
  const { model: whole, names } = withLayers(model)
  const file = compileModel(whole)
  let first: Record<string, Numbers> | undefined
  for (const backend of backends) {
    const runner = await Runner.load(file, backend)
    const results = await runner.run(feeds)
    await runner.release()
    for (const name of names) if (first) assert.equal(results[name].data, first[name].data, `${name} on ${backend}`)
    first ??= results
  }
  const { program } = build(whole)
  const inputs = program.inputs.map(port => feeds[port.name].data)
  const alone = (await Guarded.of(program, bindings)).run(inputs)
  const divided = (await Guarded.of(program, bindings, 3)).run(inputs)
  alone.forEach((data, i) => assert.equal(divided[i], data, `output ${i} on three threads`))
  const oracle = await Oracle.load(apart(model))
  const expected = await oracle.run(
    Object.fromEntries(oracle.inputNames.map(name => [name, feeds[name] ?? first![name]]))
  )
  await oracle.release()
  let [elements, ties] = [0, 0]
  for (const name of names) {
    const [own, wanted] = [first![name].data, expected[`${name} out`].data]
    assert.is(own.length, wanted.length, name)
    const step = Math.min(stepOf(first![name]), stepOf(expected[`${name} out`]))
    let off = 0
    for (let i = 0; i < own.length; i++) {
      if (own[i] === wanted[i]) continue
      assert.ok(
        Math.abs(own[i] - wanted[i]) < 1.01 * step,
        `${name}[${i}] is ${own[i]} for ${wanted[i]}, in steps of ${step}`
      )
      off++
    }
    ties += off
    elements += own.length
  }
  return { elements, ties }
}

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
    const { elements, ties } = await compareLayers({ model, feeds: draw() })
    total.elements += elements
    total.ties += ties
  })
}

test('ties are rare', () => {
  console.log(`${total.ties} of ${total.elements} integers are off by one`)
  assert.ok(total.ties <= mostTies * total.elements)
})

test.run()
