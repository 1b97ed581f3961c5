// Models as WebAssembly modules of their own: the same bits as their sessions, and nothing but what is said of them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { quantizedModel } from '../../bench/int8/qdq.js'
import { build, CompileError, compile } from '../../compiler/index.js'
import { standaloneOf } from '../../compiler/standalone/index.js'
import { front } from '../../compiler/standalone/place.js'
import { dataSections, exportsOf, sectionsOf, withoutZeros } from '../../compiler/standalone/wasm/sections.js'
import { zoo } from '../../models/index.js'
import { digest } from '../../runtime/base/index.js'
import { InferenceSession, Tensor } from '../../runtime/index.js'
import { instantiate } from '../../runtime/standalone.js'
import { mobile } from '../support/network/mobile.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { randomFeeds } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'
import { root } from '../support/root.js'
import { drawFeeds, trialOf } from '../support/standalone/trial.js'

const test = suite(`standalone modules (seed ${baseSeed})`)
const random = new Random('standalone')

const relaxed = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 20, 1, 18, 0],
  ...[65, 0, 253, 17, 65, 0, 253, 17, 65, 0, 253, 17, 253, 133, 2, 26, 11]
)
const features = WebAssembly.validate(relaxed) ? (['plain', 'relaxed'] as const) : (['plain'] as const)

/** Weights whose last panels are padded, a Winograd layer, and a matrix that stays halves in memory. */
function mixed(): ModelBuilder {
  const m = new ModelBuilder(random)
  const x = m.input([1, 8, 14, 14], 'float32', [-1, 1])
  const a = m.add('Relu', [m.add('Conv', [x, m.weights([8, 8, 3, 3]), m.weights([8])], { pads: [1, 1, 1, 1] })])
  const b = m.add('Sigmoid', [m.add('Conv', [a, m.weights([13, 8, 1, 1])])])
  return m.output(m.add('MatMul', [m.add('Flatten', [b]), m.weights([13 * 196, 11])]))
}

/** Integers, truth values, and indices that are looked up. */
function integers(): ModelBuilder {
  const m = new ModelBuilder(random)
  const found = m.add('Gather', [m.weights([7, 3]), m.input([5], 'int64', [0, 6])], { axis: 0 })
  m.output(found)
  m.output(m.add('Cast', [m.add('Mul', [found, m.scalar(1000)])], { to: 7 }))
  return m.output(m.add('Greater', [found, m.scalar(0)]))
}

/** Functions that read tables and constants of the kernels, of numbers beyond what vectors of them take too. */
function curves(): ModelBuilder {
  const m = new ModelBuilder(random)
  const x = m.input([3, 7], 'float32', [-1, 1])
  const [wide, positive] = [m.add('Mul', [x, m.scalar(1e6)]), m.add('Abs', [x])]
  for (const op of ['Sin', 'Cos', 'Tan']) for (const each of [x, wide]) m.output(m.add(op, [each]))
  for (const op of ['Exp', 'Tanh', 'Erf', 'Softplus', 'Mish', 'Sigmoid']) m.output(m.add(op, [x]))
  m.output(m.add('Log', [positive]))
  return m.output(m.add('Pow', [positive, m.add('Mul', [x, m.scalar(40)])]))
}

/** As many columns, and rows of its input, as a run finds. */
function counted(): ModelBuilder {
  const m = new ModelBuilder(random)
  const x = m.input([6, 4], 'float32', [-1, 1])
  return m.output(m.add('NonZero', [m.add('Relu', [x])]))
}

const cases: Readonly<Record<string, () => Promise<Uint8Array> | Uint8Array>> = {
  'lenet5 with a batch of 1': () => zoo.lenet5.build(),
  'a mobile network': () => mobile(random, 17).encode(),
  'layers of many kinds': () => mixed().encode(),
  'integers and truth values': () => integers().encode(),
  'counted rows': () => counted().encode(),
  'functions of many kinds': () => curves().encode(),
  'layers of bytes': async () => {
    const model = mixed()
    const feeds = () => Object.fromEntries(Object.entries(randomFeeds(model.inputs, random)))
    const { Tensor } = (await import('onnxruntime-node')).default
    const tensors = Object.entries(feeds()).map(([name, { dims, data }]) => [
      name,
      new Tensor('float32', Float32Array.from(data), [...dims])
    ])
    return quantizedModel(model.encode(), [Object.fromEntries(tensors)], { activations: 'uint8', perChannel: true })
  }
}

for (const [name, model] of Object.entries(cases))
  for (const simd of features)
    test(`${name}: the bits of the session, ${simd} SIMD`, async () => {
      const { differs, bytes, metadata } = await trialOf(await model(), random, simd)
      assert.is(differs, undefined)
      const module = new WebAssembly.Module(bytes)
      assert.equal(WebAssembly.Module.imports(module), [])
      const { memory } = (await instantiate(bytes)).exports
      assert.is(memory.buffer.byteLength, metadata.memory)
      assert.throws(() => memory.grow(1))
    })

for (const options of [{ weights: 'f16' }, { weights: 'int8' }, { winograd: 0 }, { winograd: 2 }] as const)
  test(`${JSON.stringify(options)}: the bits of the session`, async () => {
    const { differs } = await trialOf(mixed().encode(), random, 'plain', options)
    assert.is(differs, undefined)
  })

test('little is added to the weights, and said of the module is what is in it', async () => {
  const { bytes, weights, metadata } = await trialOf(zoo.lenet5.build({ batch: 1 }), random, 'plain')
  assert.ok(bytes.length <= weights + 30 * 1024, `${bytes.length - weights} bytes above weights`)
  const sections = sectionsOf(bytes)
  const code = sections.find(({ id }) => id === 10)!.bytes
  assert.ok(gzipSync(code).length <= 14 * 1024, `${gzipSync(code).length} bytes of code, gzipped`)
  const names = WebAssembly.Module.exports(new WebAssembly.Module(bytes)).map(({ name }) => name)
  assert.equal(exportsOf(bytes), names)
  assert.equal(names, ['memory', 'init', 'run', 'input_0', 'input_0_length', 'output_0', 'output_0_length'])
  assert.is(metadata.digest, digest(sections.find(({ id }) => id === 11)!.bytes))
  const { exports } = await instantiate<{ exports: Record<string, WebAssembly.Global> }>(bytes)
  assert.equal([exports.input_0.value, exports.input_0_length.value], [metadata.inputs[0].at, 1024])
  // The beginning alone tells as much.
  assert.equal(standaloneOf(bytes.subarray(0, 2000)), metadata)
})

test('functions that a model has not are not in its module', async () => {
  const made = async (op: string) => {
    const m = new ModelBuilder(random)
    const sum = m.add('Add', [m.input([4, 8]), m.input([4, 8])])
    const module = await compile(m.output(m.add(op, [sum])).encode(), { target: 'wasm' })
    const bytesOf = (wanted: number) => sectionsOf(module).find(({ id }) => id === wanted)!.bytes.length
    return { code: bytesOf(10), data: bytesOf(11) }
  }
  const [exp, sine] = [await made('Exp'), await made('Sin')]
  assert.ok(exp.code < sine.code - 500, `${exp.code} bytes of code with Exp, ${sine.code} with Sin`)
  assert.ok(exp.data < 200, `${exp.data} bytes of data`)
})

test('free dimensions have to be bound, and to sizes that the model takes', async () => {
  const model = mobile(random, 17).encode()
  const refused = (options: object, pattern: RegExp) =>
    rejects(() => compile(model, { target: 'wasm', ...options }), pattern, CompileError)
  await refused({}, /N is free; give its size as shape or dims/)
  await refused({ dims: { N: 0 } }, /dimension N=0; whole numbers from 1 are allowed/)
  await refused({ dims: { M: 1 } }, /no free dimension "M"; the model has N/)
  await refused({ target: 'elf' }, /target "elf"; cairn and wasm are allowed/)
  await refused({ dims: { N: 1 }, wasmFeatures: 'mmx' }, /plain and relaxed are allowed/)
  await refused({ target: 'cairn', wasi: true }, /of no use without target wasm/)
  const module = await compile(model, { target: 'wasm', dims: { N: 3 } })
  assert.equal(standaloneOf(module)!.inputs[0].shape, [3, 3, 16, 16])
})

test('what no memory holds, or maxMemory does not allow, is refused', async () => {
  const m = new ModelBuilder(random)
  const model = m.output(m.add('MatMul', [m.input(['N', 1024]), m.weights([1024, 8])])).encode()
  const refused = (options: object, pattern: RegExp) =>
    rejects(() => compile(model, { target: 'wasm', golden: true, ...options }), pattern, CompileError)
  await refused({ dims: { N: 2 ** 21 } }, /^with dims N=2097152 the model cannot run: storage .*; smaller sizes are/)
  await refused({ dims: { N: 2 ** 20 } }, /^with dims N=1048576 the module needs 43\d+ bytes of memory; 4294967296 are/)
  await refused({ dims: { N: 1000 }, maxMemory: 1e6 }, /^with dims N=1000 .*; 1000000 are allowed \(maxMemory\)/)
})

test('64-bit integers of what is not finite, or halfway, are the session’s', async () => {
  const m = new ModelBuilder(random)
  m.output(m.add('Cast', [m.input([6])], { to: 7 }))
  const file = await compile(m.encode())
  const [{ name }] = m.inputs
  const data = Float32Array.of(Infinity, -Infinity, NaN, -0.5, random.uniform(-1e6, 1e6), 2 ** 63)
  const session = await InferenceSession.create(file, { executionProviders: ['wasm'], numThreads: 1 })
  const [wanted] = Object.values(await session.run({ [name]: new Tensor('float32', data, [6]) }))
  await session.release()
  const { run } = await instantiate((await compile(m.encode(), { target: 'wasm' })) as Uint8Array<ArrayBuffer>)
  assert.equal(Object.values(run({ [name]: data }))[0].data, wanted.data)
})

test('the loader refuses other lengths, says what index is out of range, and is small', async () => {
  const module = (await compile(integers().encode(), { target: 'wasm' })) as Uint8Array<ArrayBuffer>
  const { run, inputs } = await instantiate(module)
  const [{ name }] = inputs
  for (const length of [0, 4, 6]) assert.throws(() => run({ [name]: new Float32Array(length) }), /takes 5 elements/)
  assert.throws(() => run({}), /takes 5 elements/)
  assert.throws(() => run({ [name]: [0, 1, 7, 2, 3] }), /Gather .*index is out of range for axis 0 of 7; -7 to 6 are/)
  const [first] = Object.values(run({ [name]: BigInt64Array.of(0n, 1n, -7n, 2n, 3n) }))
  assert.equal(first.dims, [5, 3])
  const response = new Response(module, { headers: { 'content-type': 'application/wasm' } })
  const compiled = await WebAssembly.compile(module)
  for (const source of [module.buffer, compiled, response, Promise.resolve(response.clone())])
    assert.is((await instantiate(source)).inputs[0].name, name)
  await rejects(() => instantiate(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)), /no model/, TypeError)
  const { transform } = await import('esbuild')
  const text = readFileSync(join(root, 'dist', 'runtime', 'standalone.js'), 'utf8')
  const { code } = await transform(text, { minify: true, format: 'esm', target: 'es2022' })
  assert.ok(code.length <= 1024, `${code.length} bytes`)
})

test('whatever lies at the inputs, a run comes to its end, and the next one finds all as it was', async () => {
  const numbers = [Number.NaN, Infinity, -Infinity, 3e38, -1e9, 7, -8, 6, -7, random.uniform(-1e6, 1e6)]
  for (const model of [integers(), counted(), curves()]) {
    const module = (await compile(model.encode(), { target: 'wasm' })) as Uint8Array<ArrayBuffer>
    const { exports, inputs, run } = await instantiate(module)
    const { own } = drawFeeds(standaloneOf(module)!, random)
    const before = run(own)
    for (const value of numbers) {
      for (const { at, length } of inputs) new Float32Array(exports.memory.buffer, at, length).fill(value)
      const isFault = inputs[0].type === 'int64' && !(value >= -7 && value < 7)
      assert.is(exports.run(), isFault ? 1 : 0, `of ${value}`)
    }
    assert.equal(run(own), before)
  }
})

test('a module checks itself, and finds weights that are spoiled', async () => {
  const model = mixed().encode()
  const module = (await compile(model, { target: 'wasm', golden: true })) as Uint8Array<ArrayBuffer>
  const { exports, run, inputs } = await instantiate(module)
  assert.is(exports.check!(), 0)
  const { program } = build(model)
  assert.equal(
    standaloneOf(module)!.golden,
    program.calls.map(({ node }) => node)
  )
  const { own } = drawFeeds(standaloneOf(module)!, random)
  const [before] = Object.values(run(own))
  assert.is(exports.check!(), 0)
  assert.equal(Object.values(run(own))[0], before)
  const [{ at }] = inputs
  const floats = new Float32Array(exports.memory.buffer, front + 4096, (at - front - 4096) >> 2)
  for (let i = 0; i < floats.length; i++) floats[i] *= 1.01
  assert.ok(exports.check!() > 0)
})

test('memory in front of the model is what kernels take', () => {
  const text = readFileSync(join(root, 'asm', 'thread.ts'), 'utf8')
  const [first, each] = ['FRONT', 'STATICS'].map(name =>
    Number(new RegExp(`const ${name}: usize = (\\d+)`).exec(text)![1])
  )
  assert.is(front, first + each)
})

test('segments without zeros are the same memory', () => {
  for (let trial = 0; trial < 50; trial++) {
    const bytes = Uint8Array.from({ length: random.int(0, 200) }, () => (random.chance(0.8) ? 0 : random.int(0, 255)))
    const memory = new Uint8Array(bytes.length)
    for (const segment of withoutZeros({ at: 7, bytes })) memory.set(segment.bytes, segment.at! - 7)
    assert.equal(memory, bytes)
  }
  assert.equal(dataSections([])[1].bytes, Uint8Array.of(0))
})

test.run()
