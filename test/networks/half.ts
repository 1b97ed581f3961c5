// Weights that stay halves in memory: which layers have them, that they change no bit, and that files which
// contradict themselves are refused. The kernel itself has its cases in ops/dense/gemm-half.ts.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { build, type CompileOptions } from '../../compiler/index.js'
import { floatToHalf, halfToFloat } from '../../runtime/base/half.js'
import { decode, encode } from '../../runtime/file/format.js'
import { FormatError, InferenceSession } from '../../runtime/index.js'
import { compileModel, tensorsOf } from '../support/cairn.js'
import { sameBits } from '../support/compare.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { randomFeeds } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { root } from '../support/root.js'

const test = suite(`half (seed ${baseSeed})`)
const random = new Random('half')
const uncached = 2 ** 20

/** A fully connected layer whose first weight is `first`. */
function layer(inner: number, columns: number, rows = 1, first = 0.5): ModelBuilder {
  const model = new ModelBuilder(random)
  const data = [first, ...random.values(inner * columns - 1, [-1, 1])]
  const weights = model.constant({ dtype: 'float32', dims: [columns, inner], data })
  return model.output(
    model.add('Gelu', [
      model.add('Gemm', [model.input([rows, inner]), weights, model.weights([columns])], { transB: 1 })
    ])
  )
}

const kernelOf = (model: ModelBuilder, options: CompileOptions): string => {
  const { program } = build(model.encode(), options)
  const { kernel } = program.calls.find(({ node }) => node.startsWith('gemm'))!
  return program.kernels[kernel].name
}

test('layers that no cache holds keep halves, of files of halves alone', () => {
  const large = layer(uncached / 512, 512)
  assert.is(kernelOf(large, { weights: 'f16' }), 'gemmHalf')
  assert.is(kernelOf(large, {}), 'gemm')
  assert.is(kernelOf(large, { weights: 'f16', kernels: ['gemm'] }), 'gemm')
  assert.is(kernelOf(layer(uncached / 512 - 1, 512), { weights: 'f16' }), 'gemm')
})

test('weights that are no finite halves are not kept as halves', () => {
  const options: CompileOptions = { weights: 'f16', kernels: ['gemmHalf'] }
  assert.is(kernelOf(layer(3, 9, 1, 65519), options), 'gemmHalf')
  for (const first of [65520, -65520, Number.POSITIVE_INFINITY, Number.NaN])
    assert.is(kernelOf(layer(3, 9, 1, first), options), 'gemm')
})

/** Compiles `x + constant`, f16; gives how the constant is stored and what was noted. */
function added(data: readonly number[]) {
  const model = new ModelBuilder(random)
  const constant = model.constant({ dtype: 'float32', dims: [data.length], data })
  const notes: string[] = []
  const { program } = build(model.output(model.add('Add', [model.input([2, data.length]), constant])).encode(), {
    weights: 'f16',
    onNote: note => notes.push(note)
  })
  return { stored: program.constants.map(({ stored }) => stored), notes }
}

test('what halves cannot hold stays in single precision, with a note that names it', () => {
  const large = added([1, -65520, 70000.5, 2])
  assert.equal(large.stored, ['f32'])
  assert.is(large.notes.length, 1)
  assert.match(
    large.notes[0],
    /^Add ".+": ".+" stays float32: 2 of 4 numbers beyond ±65504, the largest half; the largest here is 70000\.5$/
  )
  const tiny = added([1e-8, 2e-8, 3e-7, 0])
  assert.equal(tiny.stored, ['f32'])
  assert.match(
    tiny.notes[0],
    / stays float32: as halves they would lose 7\.\d % \(2 of 4 numbers would be 0; the largest is 3e-7\)$/
  )
})

test('rounding that is usual for halves is not noted, nor what is not finite before', () => {
  const fine: readonly (readonly number[])[] = [
    [65519, -65504, 1e-9],
    [0, -0, 0],
    [Number.POSITIVE_INFINITY, Number.NaN, 0.1],
    [2 ** -14, 2 ** -24, 1e-6, 3e-5],
    random.values(1000, [-1, 1]).map(value => value / 1000)
  ]
  for (const data of fine) assert.equal(added(data), { stored: ['f16'], notes: [] })
})

test('the command line prints the note, and --json has it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-half-'))
  const path = join(folder, 'large.onnx')
  writeFileSync(path, layer(30, 21, 1, -123456).encode())
  const args = [join(root, 'dist', 'cli', 'index.js'), 'compile', path, '--weights', 'f16', '--json']
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  rmSync(folder, { recursive: true })
  assert.is(status, 0)
  const { notes } = JSON.parse(stdout)
  assert.is(notes.length, 1)
  assert.match(notes[0], /^Gemm .* 1 of 630 numbers beyond ±65504, the largest half; the largest here is 123456$/)
  assert.is(stderr, `cairn: note: ${path}: ${notes[0]}\n`)
})

for (const rows of [1, 2, 5])
  test(`${rows} rows have the bits of widened weights, at every number of threads`, async () => {
    const model = layer(601, 1003, rows)
    const feeds = tensorsOf(randomFeeds(model.inputs, random))
    const run = async (kernel: string, numThreads: number) => {
      const file = compileModel(model.encode(), { weights: 'f16', kernels: [kernel] })
      const session = await InferenceSession.create(file, { numThreads })
      const [result] = Object.values(await session.run(feeds))
      const memory = session.memoryBytes
      await session.release()
      return { data: result.data as Float32Array, memory }
    }
    const widened = await run('gemm', 1)
    for (const threads of [1, 2, 3]) {
      const { data, memory } = await run('gemmHalf', threads)
      assert.ok(sameBits(data, widened.data), `${threads} threads`)
      if (threads === 1) assert.ok(memory < widened.memory - 1e6, `${memory} bytes, widened ${widened.memory}`)
    }
  })

test('the file holds halves, and the reference reads them as what they are', async () => {
  const model = layer(30, 21)
  const { program, summary } = build(model.encode(), { weights: 'f16', kernels: ['gemmHalf'] })
  const kept = program.constants.findIndex(constant => constant.kept === 'f16')
  assert.ok(kept >= 0)
  const { header } = decode(encode(program, summary))
  assert.is(header.constants[kept].bytes, 30 * 21 * 2)
  assert.is(header.constants[kept].kept, 'f16')
  const rounded = program.constants.map(constant => ({
    ...constant,
    data: constant.data.map(value => halfToFloat(floatToHalf(value)))
  }))
  const feeds = tensorsOf(randomFeeds(model.inputs, random))
  const results = await Promise.all(
    [program, { ...program, constants: rounded }].map(async each => {
      const session = await InferenceSession.create(encode(each, summary), { executionProviders: ['reference'] })
      return Object.values(await session.run(feeds))[0].data as Float32Array
    })
  )
  assert.ok(sameBits(results[0], results[1]))
})

test('a file that keeps halves of what it stores in single precision is refused', () => {
  const { program, summary } = build(layer(30, 21).encode())
  const constants = program.constants.map(constant => ({ ...constant, kept: 'f16' as const }))
  assert.throws(
    () => decode(encode({ ...program, constants }, summary)),
    (error: unknown) => error instanceof FormatError && /kept as f16 but stored as f32/.test(error.message)
  )
})

/** Two convolutions and a fully connected layer, as float16 or as float32 of the same numbers. */
function network(dtype: 'float16' | 'float32', seed: string): Uint8Array {
  const model = new ModelBuilder(new Random(seed))
  const { random } = model
  const rounded = (count: number) =>
    random.values(count, [-0.5, 0.5]).map((value, i) => halfToFloat(floatToHalf(i % 7 ? value : value * 2 ** -15)))
  const weights = (...dims: number[]) => model.constant({ dtype, dims, data: rounded(dims.reduce((a, b) => a * b, 1)) })
  let x = model.input(['N', 3, 12, 12], 'float32', [-1, 1], 'x')
  if (dtype === 'float16') x = model.add('Cast', [x], { to: 10 })
  x = model.add('Relu', [model.add('Conv', [x, weights(16, 3, 3, 3), weights(16)])])
  x = model.add('Relu', [model.add('Conv', [x, weights(24, 16, 3, 3), weights(24)], { strides: [2, 2] })])
  x = model.add('Gemm', [model.add('Flatten', [x]), weights(24 * 16, 10), weights(10)])
  model.output(dtype === 'float16' ? model.add('Cast', [x], { to: 1 }) : x)
  return model.encode()
}

test('a float16 model keeps its halves in the file unasked, and computes the same bits', async () => {
  const seed = `network ${random.int(0, 2 ** 30)}`
  const [half, single] = [network('float16', seed), network('float32', seed)]
  const files = [compileModel(half), compileModel(half, { weights: 'f32' }), compileModel(single)]
  const [kept, widened, other] = files
  assert.ok(kept.length < 0.65 * widened.length, `${kept.length} of ${widened.length} bytes`)
  assert.is(decode(other).header.constants.filter(({ stored }) => stored === 'f16').length, 0)
  for (const { stored, kept: held } of decode(kept).header.constants) assert.equal([stored, held], ['f16', 'f32'])
  const feeds = tensorsOf(randomFeeds([{ name: 'x', dtype: 'float32', dims: [2, 3, 12, 12], range: [-1, 1] }], random))
  const outputs = await Promise.all(
    files.map(async file => {
      const session = await InferenceSession.create(file)
      const [{ data }] = Object.values(await session.run(feeds))
      await session.release()
      return data as Float32Array
    })
  )
  assert.ok(sameBits(outputs[0], outputs[1]))
  assert.ok(sameBits(outputs[0], outputs[2]))
})

test('what folding makes of halves stays single, and is told', () => {
  const model = new ModelBuilder(random)
  const constant = (dims: number[], low: number, high: number) =>
    model.constant({
      dtype: 'float16',
      dims,
      data: random.values(
        dims.reduce((a, b) => a * b, 1),
        [low, high]
      )
    })
  const x = model.input([1, 3, 8, 8], 'float16', [-1, 1], 'x')
  const conv = model.add('Conv', [x, constant([8, 3, 3, 3], -1, 1)])
  const norm = [constant([8], 0.5, 2), constant([8], -1, 1), constant([8], -1, 1), constant([8], 0.5, 2)]
  model.output(model.add('BatchNormalization', [conv, ...norm]))
  const notes: string[] = []
  const { program } = build(model.encode(), { onNote: note => notes.push(note) })
  assert.match(notes.join(), /^\d+ numbers of the float16 model are not halves once folded and stay float32/)
  assert.ok(program.constants.some(({ stored }) => stored === 'f32'))
})

test.run()
