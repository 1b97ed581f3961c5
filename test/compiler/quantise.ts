// The quantiser: float networks to QDQ models whose layers agree with onnxruntime's, with any inputs, sizes and element types; what it
// keeps, what it refuses.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CompileError, compile, type Feed, type QuantiseReport, quantise } from '../../compiler/index.js'
import { InferenceSession } from '../../runtime/index.js'
import { numbersOfTensors, presentBackends, tensorsOf } from '../support/cairn.js'
import { compareLayers, mostTies } from '../support/network/compare-layers.js'
import { mobile } from '../support/network/mobile.js'
import { quantisableNetwork } from '../support/network/quantisable.js'
import { draws, outputsOf, relative } from '../support/network/quantised-outputs.js'
import { decodeModel, encodeModel, ModelBuilder } from '../support/onnx/model.js'
import { type Numbers, Oracle } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'

const test = suite(`quantise (seed ${baseSeed})`)
const backends = await presentBackends()

const fixedSeed = process.env.CAIRN_RANDOM_SEED
const count = fixedSeed ? 1 : Number(process.env.CAIRN_RANDOM_SEEDS ?? 8)
const total = { elements: 0, ties: 0 }

for (let i = 0; i < count; i++) {
  const seed = fixedSeed ? Number(fixedSeed) : baseSeed + i
  test(`random network ${seed}`, async () => {
    const random = new Random('quantise', seed)
    const network = quantisableNetwork(random)
    const bytes = network.encode()
    let report: QuantiseReport | undefined
    const examples = draws(network, random, 3)
    const model = await quantise(bytes, {
      calibrate: examples,
      onReport: made => {
        report = made
      }
    }).catch(error => {
      // Networks of curves and sums alone have nothing that is worth bytes.
      assert.match(error.message, /^no layer of the model can run on bytes/)
    })
    if (!model) return
    const [feeds] = draws(network, random, 1)
    const { elements, ties } = await compareLayers({ model, feeds }, backends)
    total.elements += elements
    total.ties += ties
    // On the calibration data: others are clipped at its ranges, which with few outputs may be the whole error.
    const [float, int8] = [await compile(bytes), await compile(model)]
    const [wanted, found] = [[], []] as Record<string, Numbers>[][]
    for (const example of examples) {
      wanted.push(await outputsOf(float, example))
      found.push(await outputsOf(int8, example))
    }
    for (const name of network.outputs) {
      const [right, made] = [wanted, found].map(all => all.map(outputs => outputs[name]))
      right.forEach(({ dims }, at) => assert.equal(made[at].dims, dims))
      const [exact, rounded] = [right, made].map(all => all.flatMap(({ data }) => Array.from(data)))
      const error = relative(rounded, exact)
      assert.ok(error < 0.5, `output "${name}" is off by ${error}, by the report ${report!.error}`)
    }
  })
}

test('ties are rare', () => {
  console.log(`${total.ties} of ${total.elements} integers are off by one`)
  assert.ok(total.ties <= mostTies * total.elements)
})

for (const opset of [9, 13, 17])
  test(`opset ${opset}: what onnxruntime runs, free sizes`, async () => {
    const random = new Random(`opset ${opset}`)
    const m = mobile(random, opset)
    const [many] = draws(m, random, 1, { N: 24 })
    const model = await quantise(m.encode(), { calibrate: [...draws(m, random, 16, { N: 2 }), many] })
    const file = await compile(model)
    const [oracle, float] = [await Oracle.load(model), await Oracle.load(m.encode())]
    for (const N of [1, 3, 24]) {
      const [feeds] = N === 24 ? [many] : draws(m, random, 1, { N })
      const [name] = m.outputs
      const [ours, theirs, exact] = [await outputsOf(file, feeds), await oracle.run(feeds), await float.run(feeds)]
      assert.equal(ours[name].dims, theirs[name].dims)
      assert.ok(relative(ours[name].data, theirs[name].data) < 0.02)
      // Of others than those of the calibration, one that is far from them would decide.
      if (N < 24) continue
      const error = relative(ours[name].data, exact[name].data)
      assert.ok(error < 0.1, `${error} of what floats give`)
    }
    const ops = decodeModel(model).graph!.node!.map(({ opType }) => opType)
    assert.not.ok(ops.includes('BatchNormalization'))
    await Promise.all([oracle.release(), float.release()])
  })

test('compile with weights int8 and calibrate quantises first', async () => {
  const random = new Random('compile')
  const m = mobile(random, 17)
  const calibrate = draws(m, random, 2, { N: 1 })
  const [bytes] = [m.encode()]
  assert.equal(
    await compile(bytes, { weights: 'int8', calibrate }),
    await compile(await quantise(bytes, { calibrate }))
  )
  await rejects(
    () => compile(bytes, { calibrate }),
    /calibrate is of no use with weights f32; int8 is allowed/,
    CompileError
  )
})

test('weights alone: a quarter of the file, the same sums of rounded weights on every backend', async () => {
  const random = new Random('weights')
  const m = new ModelBuilder(random)
  let x = m.input([2, 16, 12, 12])
  x = m.add('Relu', [m.add('Conv', [x, m.weights([70, 16, 3, 3]), m.weights([70])], { pads: [1, 1, 1, 1] })])
  x = m.add('Conv', [x, m.weights([70, 1, 3, 3])], { group: 70 })
  x = m.add('Conv', [x, m.weights([36, 35, 1, 1])], { group: 2 })
  m.output(m.add('MatMul', [m.add('Flatten', [x]), m.weights([3600, 110])]))
  const [feeds] = draws(m, random, 1)
  const bytes = m.encode()
  const file = await compile(bytes, { weights: 'int8' })
  assert.ok(file.length < bytes.length / 3.5, `${file.length} of ${bytes.length}`)
  const wanted = await outputsOf(await compile(bytes), feeds)
  let first: ArrayLike<number> | undefined
  for (const device of backends) {
    const session = await InferenceSession.create(file, { executionProviders: [device] })
    const { data } = numbersOfTensors(await session.run(tensorsOf(feeds)))[m.outputs[0]]
    await session.release()
    first ??= data
    assert.ok(relative(data, first) < 1e-5, device)
    assert.ok(relative(data, wanted[m.outputs[0]].data) < 0.02, device)
  }
})

test('several inputs, integers among them, and feeds given once', async () => {
  const random = new Random('inputs')
  const m = new ModelBuilder(random)
  const [a, b] = [m.input([1, 4, 8, 8]), m.input([1, 4, 8, 8])]
  const index = m.input([1], 'int64', [0, 3])
  const both = m.add('Add', [m.add('Conv', [a, m.weights([6, 4, 1, 1])]), m.add('Conv', [b, m.weights([6, 4, 1, 1])])])
  m.output(m.add('Gather', [both, index], { axis: 1 }))
  const feeds = draws(m, random, 3)
  function* once(): Generator<Feed> {
    for (const feed of feeds) yield feed
  }
  assert.equal(await quantise(m.encode(), { calibrate: once() }), await quantise(m.encode(), { calibrate: feeds }))
  const model = await quantise(m.encode(), { calibrate: feeds })
  const { elements, ties } = await compareLayers({ model, feeds: draws(m, random, 1)[0] }, backends)
  assert.ok(ties <= Math.max(2, mostTies * elements))
})

test('float16 models keep the types of their inputs and outputs', async () => {
  const random = new Random('halves')
  const m = new ModelBuilder(random)
  const half = (dims: number[]) =>
    m.constant({ dtype: 'float16', dims, data: random.values(dims.reduce((a, b) => a * b)) })
  const x = m.input([1, 3, 8, 8], 'float16')
  m.output(m.add('Relu', [m.add('Conv', [x, half([4, 3, 3, 3]), half([4])])]))
  const model = await quantise(m.encode(), { calibrate: draws(m, random, 2) })
  const { input, output } = decodeModel(model).graph!
  assert.is(input![0].type!.tensorType!.elemType, 10)
  assert.is(output![0].type!.tensorType!.elemType, 10)
  const [feeds] = draws(m, random, 1)
  const oracle = await Oracle.load(model)
  const [ours, theirs] = [await outputsOf(await compile(model), feeds), await oracle.run(feeds)]
  assert.ok(relative(ours[m.outputs[0]].data, theirs[m.outputs[0]].data) < 0.01)
  await oracle.release()
})

test('external data is taken in', async () => {
  const random = new Random('external')
  const m = mobile(random, 17)
  const proto = decodeModel(m.encode())
  const [tensor] = proto.graph!.initializer!
  const data = Uint8Array.from(tensor.rawData!)
  Object.assign(tensor, {
    rawData: new Uint8Array(0),
    dataLocation: 1,
    externalData: [{ key: 'location', value: 'w.bin' }]
  })
  const calibrate = draws(m, random, 2, { N: 1 })
  const read = async (location: string) => {
    assert.is(location, 'w.bin')
    return data
  }
  const model = await quantise(encodeModel(proto), { calibrate, externalData: read })
  assert.equal(await compile(model), await compile(await quantise(m.encode(), { calibrate })))
})

test('layers that shall stay float do, with nothing of bytes about them', async () => {
  const random = new Random('keep')
  const m = mobile(random, 17)
  const calibrate = draws(m, random, 2, { N: 1 })
  const keep = m.nodes.filter(({ opType }) => opType === 'Gemm').map(({ name }) => name!)
  const { node } = decodeModel(await quantise(m.encode(), { calibrate, keep })).graph!
  const gemm = node!.find(({ opType }) => opType === 'Gemm')!
  const producer = (name: string) => node!.find(({ output }) => output!.includes(name))
  assert.is(producer(gemm.input![1]), undefined)
  assert.not.ok(node!.some(({ opType, input }) => opType === 'QuantizeLinear' && input![0] === gemm.output![0]))
  await rejects(
    () => quantise(m.encode(), { calibrate, keep: ['Gem'] }),
    /^keep "Gem": no layer of that name; there are ("(conv|gemm)_\d+"(, |$))+$/,
    CompileError
  )
  const names = m.nodes.filter(({ opType }) => opType === 'Conv').map(({ name }) => name!)
  await rejects(
    () => quantise(m.encode(), { calibrate, keep: [names.join(', ')] }),
    /^keep "conv_.*": these are several layers; each by itself is allowed$/,
    CompileError
  )
})

test('a budget is held, by as few layers as it takes', async () => {
  const random = new Random('budget')
  const m = mobile(random, 17)
  const calibrate = draws(m, random, 3, { N: 1 })
  const reports: QuantiseReport[] = []
  const run = (budget?: number) => quantise(m.encode(), { calibrate, budget, onReport: report => reports.push(report) })
  await run(1)
  const [{ error, layers }] = reports
  assert.is(layers.filter(({ kept }) => kept).length, 0)
  await run(error / 2)
  const kept = reports[1].layers.filter(each => each.kept)
  assert.ok(reports[1].error <= error / 2 && kept.length > 0)
  assert.ok(kept.every(each => each.kept === 'budget'))
  await run(0)
  assert.is(reports[2].error, 0)
})

test('without data scenes are drawn, and it says so', async () => {
  const m = mobile(new Random('scenes'), 17, [1, 3, 16, 16])
  const notes: string[] = []
  let report: QuantiseReport | undefined
  const options = {
    onNote: (note: string) => notes.push(note),
    onReport: (made: QuantiseReport) => {
      report = made
    }
  }
  await quantise(m.encode(), options)
  await quantise(m.encode(), { ...options, calibrate: 3 })
  const scenes = notes.filter(note => note.startsWith('calibrated with'))
  assert.equal(scenes, [
    'calibrated with 8 drawn scenes, not with pictures',
    'calibrated with 3 drawn scenes, not with pictures'
  ])
  assert.is(report!.feeds, 3)
})

test('what cannot be calibrated with is refused in one line', async () => {
  const random = new Random('hostile')
  const m = mobile(random, 17, [1, 3, 16, 16])
  const [name] = m.inputs.map(input => input.name)
  const feed = (value: number, dims = [1, 3, 16, 16]): Feed => ({
    [name]: { dims, data: new Float32Array(dims.reduce((a, b) => a * b)).fill(value) }
  })
  const refused = (calibrate: Iterable<Feed> | number, message: RegExp, more = {}) =>
    rejects(() => quantise(m.encode(), { calibrate, ...more }), message, CompileError)
  await refused([], /^calibration data: no feeds; at least one is needed$/)
  await refused([feed(1), feed(Number.NaN)], /^calibration data: ".*" holds NaN; only finite numbers/)
  await refused([feed(Number.POSITIVE_INFINITY)], /holds Infinity/)
  await refused(
    [feed(1, [1, 3, 16, 15])],
    /input "x.*" has shape \[1×3×16×15\] and 720 elements; it takes \[1×3×16×16\]/
  )
  await refused([{}], /input "x.*" is missing/)
  await refused(0, /^calibrate 0; a number of scenes of at least 1/)
  await refused([feed(1)], /^budget -1; a number from 0 on is allowed$/, { budget: -1 })
  await rejects(
    async () => quantise(await quantise(m.encode(), { calibrate: [feed(1)] }), { calibrate: [feed(1)] }),
    /the model is quantised already; floats are allowed/,
    CompileError
  )
})

test('constant activations and filters of zeros', async () => {
  const m = new ModelBuilder(new Random('constant'))
  const x = m.input([1, 2, 4, 4])
  const weights = m.constant({ dtype: 'float32', dims: [3, 2, 1, 1], data: [0, 0, 1e-30, 0, 0.5, 0.25] })
  const bias = m.constant({ dtype: 'float32', dims: [3], data: [7, -3, 0] })
  m.output(m.add('Conv', [x, weights, bias]))
  for (const value of [0, 5]) {
    const feeds = { [x]: { dtype: 'float32' as const, dims: [1, 2, 4, 4], data: new Float32Array(32).fill(value) } }
    const model = await quantise(m.encode(), { calibrate: [feeds] })
    const { data } = (await outputsOf(await compile(model), feeds))[m.outputs[0]]
    for (const [channel, wanted] of [7, -3, 0.75 * value].entries())
      assert.ok(Math.abs(data[16 * channel] - wanted) < 0.05, `${data[16 * channel]} for ${wanted}`)
    const oracle = await Oracle.load(model, true)
    assert.ok(relative(data, (await oracle.run(feeds))[m.outputs[0]].data) < 1e-3)
    await oracle.release()
  }
})

test.run()
