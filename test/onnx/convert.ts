// Fully connected layers as convolutions: on a crop the same numbers, on a larger picture those of every crop, here and on
// onnxruntime; and what cannot be written so.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CompileError, convert } from '../../compiler/index.js'
import { zoo } from '../../models/index.js'
import { compileModel, Runner } from '../support/cairn.js'
import { assertClose } from '../support/compare.js'
import { float, ModelBuilder } from '../support/onnx/model.js'
import { type Numbers, Oracle } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { root } from '../support/root.js'

const test = suite(`convert (seed ${baseSeed})`)

/** Maps of 4 channels, half as large as the picture less 2; without padding, so that a crop sees what it saw inside. */
function features(m: ModelBuilder, sides: readonly [number, number]): string {
  const x = m.input(['N', 3, ...sides])
  const y = m.add('Relu', [m.add('Conv', [x, m.weights([4, 3, 3, 3]), m.weights([4])], { kernel_shape: [3, 3] })])
  return m.add('MaxPool', [y], { kernel_shape: [2, 2], strides: [2, 2] })
}

const crop = [10, 12] as const
const [channels, height, width] = [4, 4, 5]
const inputs = channels * height * width

type Head = (m: ModelBuilder, maps: string) => string
const gemm = (m: ModelBuilder, x: string, from: number, to: number) =>
  m.add('Gemm', [x, m.weights([to, from]), m.weights([to])], { transB: 1 })

const heads: Readonly<Record<string, Head>> = {
  'Flatten and Gemms': (m, maps) => {
    const hidden = m.add('Relu', [gemm(m, m.add('Flatten', [maps], { axis: 1 }), inputs, 7)])
    return m.add('Softmax', [gemm(m, m.add('Dropout', [hidden]), 7, 5)], { axis: -1 })
  },
  'a Reshape by the batch': (m, maps) => {
    const batch = m.add('Gather', [m.add('Shape', [maps]), m.ints([0])])
    const rows = m.add('Reshape', [maps, m.add('Concat', [batch, m.ints([-1])], { axis: 0 })])
    const weights = m.weights([inputs, 6])
    const scaled = m.add('Gemm', [rows, weights, m.weights([1])], { alpha: float(0.7), beta: float(1.3) })
    return m.add('LogSoftmax', [scaled], { axis: 1 })
  },
  'channels innermost, a MatMul and what stands behind': (m, maps) => {
    const turned = m.add('Transpose', [maps], { perm: [0, 2, 3, 1] })
    const rows = m.add('MatMul', [m.add('Reshape', [turned, m.ints([-1, inputs])]), m.weights([inputs, 6])])
    const biased = m.add('PRelu', [m.add('Add', [rows, m.weights([6])]), m.weights([1, 6])])
    const norm = [m.weights([6]), m.weights([6]), m.weights([6]), m.weights([6], [0.5, 2])]
    const normal = m.add('BatchNormalization', [biased, ...norm])
    return m.add('Mul', [gemm(m, normal, 6, 4), m.scalar(0.5)])
  },
  'the mean of each map': (m, maps) =>
    gemm(m, m.add('Flatten', [m.add('GlobalAveragePool', [maps])], { axis: 1 }), channels, 5),
  'the mean of each map as rows, and two heads': (m, maps) => {
    const rows = m.add('ReduceMean', [maps], { axes: [2, 3], keepdims: 0 })
    const sum = m.add('Add', [gemm(m, rows, channels, 3), gemm(m, rows, channels, 3)])
    return m.add('Concat', [sum, m.add('Tanh', [gemm(m, rows, channels, 2)])], { axis: 1 })
  }
}

/** The part of pictures from row `top` and column `left` on that is as large as a crop. */
function cut({ dims, data }: Numbers, top: number, left: number): Numbers {
  const [batch, depth, , across] = dims
  const [tall, wide] = crop
  const part = new Float32Array(batch * depth * tall * wide)
  for (let i = 0; i < batch * depth; i++)
    for (let y = 0; y < tall; y++)
      for (let x = 0; x < wide; x++) part[(i * tall + y) * wide + x] = data[(i * dims[2] + top + y) * across + left + x]
  return { dtype: 'float32', dims: [batch, depth, tall, wide], data: part }
}

for (const [name, head] of Object.entries(heads))
  test(name, async () => {
    const random = new Random(name)
    const m = new ModelBuilder(random)
    const model = m.output(head(m, features(m, crop))).encode()
    const sliding = await convert(model, { denseToConv: true })
    const [input, output] = [m.inputs[0].name, m.outputs[0]]
    const runner = await Runner.load(compileModel(sliding))
    const [oracle, original] = [await Oracle.load(sliding), await Oracle.load(model)]

    const one: Numbers = { dtype: 'float32', dims: [2, 3, ...crop], data: random.values(2 * 3 * crop[0] * crop[1]) }
    const classes = (await original.run({ [input]: one }))[output]
    const asMaps = { [output]: { ...classes, dims: [...classes.dims, 1, 1] } }
    assertClose(await runner.run({ [input]: one }), asMaps)
    assertClose(await oracle.run({ [input]: one }), asMaps)

    const [tall, wide] = [crop[0] + 4, crop[1] + 3]
    const large: Numbers = { dtype: 'float32', dims: [1, 3, tall, wide], data: random.values(3 * tall * wide) }
    const maps = await runner.run({ [input]: large })
    assertClose(maps, await oracle.run({ [input]: large }))
    const { dims, data } = maps[output]
    assert.equal(dims, [1, classes.dims[1], 3, 2])
    for (let y = 0; y < 3; y++)
      for (let x = 0; x < 2; x++) {
        const place = Array.from({ length: dims[1] }, (_, k) => data[(k * 3 + y) * 2 + x])
        const expected = await original.run({ [input]: cut(large, 2 * y, 2 * x) })
        assertClose({ [output]: { ...expected[output], data: place } }, expected)
      }
    await Promise.all([runner, oracle, original].map(each => each.release()))
  })

test('without options a model says the same', async () => {
  const random = new Random('plain')
  const m = new ModelBuilder(random)
  const model = m.output(heads['a Reshape by the batch'](m, features(m, crop))).encode()
  const [before, after] = [await Oracle.load(model), await Oracle.load(await convert(model))]
  const feeds = { [m.inputs[0].name]: { dtype: 'float32', dims: [2, 3, ...crop], data: random.values(720) } } as const
  assertClose(await after.run(feeds), await before.run(feeds))
  await Promise.all([before.release(), after.release()])
})

const refused: Readonly<Record<string, { head: Head; error: RegExp }>> = {
  'maps only': { head: (_, maps) => maps, error: /no fully connected layer behind flattened maps/ },
  'a TopK of classes': {
    head: (m, maps) => m.addMany('TopK', [heads['the mean of each map'](m, maps), m.ints([2])], 2)[0],
    error: /^TopK "topk_\d+": reads rows that become maps/
  },
  'a bias for each pixel': {
    head: (m, maps) => gemm(m, m.add('Add', [m.add('Flatten', [maps]), m.weights([inputs])]), inputs, 3),
    error: /^Add .* takes a constant \[80\]; one number for each of 4 channels is allowed/
  }
}

for (const [name, { head, error }] of Object.entries(refused))
  test(`${name} is refused`, async () => {
    const m = new ModelBuilder(new Random(name))
    const model = m.output(head(m, features(m, crop))).encode()
    const refusal = await convert(model, { denseToConv: true }).catch(thrown => thrown)
    assert.instance(refusal, CompileError)
    assert.match(refusal.message, error)
  })

test('what looks at all of a picture is told', async () => {
  const m = new ModelBuilder(new Random('gate'))
  const maps = features(m, crop)
  const gate = m.add('Sigmoid', [m.add('GlobalAveragePool', [maps])])
  const model = m.output(heads['Flatten and Gemms'](m, m.add('Mul', [maps, gate]))).encode()
  const notes: string[] = []
  await convert(model, { denseToConv: true, onNote: note => notes.push(note) })
  assert.is(notes.length, 1)
  assert.match(notes[0], /^GlobalAveragePool "globalaveragepool_\d+" looks at all of a picture/)
})

test('cairn convert writes LeNet so that it slides', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-convert-'))
  const [from, to] = [join(folder, 'lenet.onnx'), join(folder, 'sliding.onnx')]
  const model = zoo['lenet-caffe'].build()
  writeFileSync(from, model)
  const cli = (...given: string[]) =>
    spawnSync(process.execPath, [join(root, 'dist', 'cli', 'index.js'), 'convert', ...given], { encoding: 'utf8' })
  const { stdout, status, stderr } = cli(from, '--dense-to-conv', '-o', to, '--json')
  assert.is(status, 0, stderr)
  const { inputs, outputs, parameters } = JSON.parse(stdout)
  assert.equal(inputs, ['"input" float32[N×1×H×W]'])
  assert.match(outputs[0], /^"output" float32\[N×10×/)
  assert.is(parameters, zoo['lenet-caffe'].parameters)
  const random = new Random('lenet')
  const feeds = { input: { dtype: 'float32', dims: [1, 1, 28, 28], data: random.values(784) } } as const
  const [runner, oracle] = [await Runner.load(compileModel(readFileSync(to))), await Oracle.load(model)]
  const { output } = await oracle.run(feeds)
  assertClose(await runner.run(feeds), { output: { ...output, dims: [1, 10, 1, 1] } })
  await Promise.all([runner.release(), oracle.release()])
  for (const [given, code, line] of [
    [[from], 2, /^cairn: convert: -o FILE\.onnx is missing/],
    [[from, '-o', 'x.cairn'], 2, /^cairn: -o x\.cairn: a name that ends in \.onnx is allowed/],
    [[from, '-o', from], 2, /would overwrite the model/],
    [[to, '--dense-to-conv', '-o', join(folder, 'again.onnx')], 1, /input "input" has free sides/]
  ] as const) {
    const refusal = cli(...given)
    assert.is(refusal.status, code)
    assert.match(refusal.stderr, line)
  }
  rmSync(folder, { recursive: true })
})

test.run()
