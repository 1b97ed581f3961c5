// The command `cairn bench` and what the benchmarks share: structure and verification, never how long anything took.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layerModel } from '../../bench/layers/layer-model.js'
import { outputShape, parseFile, parseLine, showLayer, showLine } from '../../bench/layers/layers.js'
import { interleave } from '../../cli/measure/interleave.js'
import { geometricMean, quantile, ratioOf, spreadOf } from '../../cli/measure/statistics.js'
import { openChecked, openOn, subjectOf } from '../../cli/measure/subject.js'
import { permuted } from '../../cli/measure/tfjs/plan.js'
import { build } from '../../compiler/index.js'
import { zoo } from '../../models/index.js'
import { compileModel } from '../support/cairn.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { Random } from '../support/random.js'
import { root } from '../support/root.js'

const folder = mkdtempSync(join(tmpdir(), 'cairn-bench-test-'))
const cli = join(root, 'dist', 'cli', 'index.js')

function cairn(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8' })
  return { status, stdout, stderr }
}

const command = suite('cairn bench')
const lenet = join(folder, 'lenet5.onnx')
const quick = ['--seconds', '0.05', '--starts', '1']

command.before(() => {
  mkdirSync(folder, { recursive: true })
  writeFileSync(lenet, zoo.lenet5.build())
  writeFileSync(join(folder, 'lenet5.cairn'), compileModel(zoo.lenet5.build()))
})
command.after(() => rmSync(folder, { recursive: true, force: true }))

command('verifies, times and starts a model cold, against every peer', () => {
  const { status, stdout, stderr } = cairn('bench', lenet, '--vs', 'ort-web,ort-node,tfjs', '--json', ...quick)
  assert.is(stderr, '')
  assert.is(status, 0)
  const { device, threads, models } = JSON.parse(stdout)
  assert.equal([device, threads, models.length], ['wasm', 1, 1])
  const [{ verified, standings, peak, macs }] = models
  assert.ok(verified.error < 1e-4)
  assert.ok(peak > 0)
  assert.is(macs, 416_520)
  assert.equal(
    standings.map((s: { engine: string }) => s.engine),
    ['cairn', 'ort-web', 'ort-node', 'tfjs']
  )
  for (const { engine, error, times, ratio, cold, gflops } of standings) {
    assert.ok(times.low <= times.median && times.median <= times.high, engine)
    assert.ok(gflops > 0 && cold.peakBytes > 0, engine)
    assert.ok(Math.abs(cold.import + cold.load + cold.firstRun - cold.total) < 1e-6, engine)
    if (engine !== 'cairn') assert.ok(error < 1e-4 && ratio.median > 0, engine)
  }
})

command('takes several models, compiled ones too, and prints tables', () => {
  const { status, stdout } = cairn(
    'bench',
    lenet,
    join(folder, 'lenet5.cairn'),
    '--dims',
    'N=2',
    '--seconds',
    '0.05',
    '--starts',
    '0'
  )
  assert.is(status, 0)
  assert.is(stdout.match(/416\.52 k|833\.04 k/g)?.length, 2)
  assert.match(stdout, /verified against onnxruntime-node/)
  assert.match(stdout, /not verified: a compiled file/)
})

command('warns of a model that computes something else, times it all the same, and goes on', () => {
  const random = new Random('cancelling')
  const m = new ModelBuilder(random)
  // Large terms that cancel: what is left is rounding, each runtime's own; of one row it may by chance be the same.
  const x = m.input([16, 512])
  const large = m.add('Gemm', [x, m.weights([512, 512], [1e6, 2e6])])
  const again = m.add('Gemm', [m.add('Neg', [x]), m.weights([512, 512], [1e6, 2e6])])
  const ones = m.constant({ dtype: 'float32', dims: [1024, 1], data: Array(1024).fill(1) })
  const sum = m.add('Gemm', [m.add('Concat', [large, again], { axis: 1 }), ones])
  m.output(m.add('Sin', [sum]))
  const odd = join(folder, 'odd.onnx')
  writeFileSync(odd, m.encode())
  const { status, stdout, stderr } = cairn('bench', odd, lenet, '--json', '--seconds', '0.05', '--starts', '0')
  assert.match(
    stderr,
    /^cairn: warning: .*odd\.onnx: output ".*" differs from onnxruntime by .* of its maximum; 0\.001 is/
  )
  assert.is(stderr.trim().split('\n').length, 1)
  assert.is(status, 1)
  const [first, second] = JSON.parse(stdout).models
  assert.ok(first.verified.differs && first.standings[0].times.median > 0)
  assert.ok(second.verified.error < 1e-4 && second.verified.differs === undefined)
})

command('--profile lists every layer and every kernel', () => {
  const { stdout } = cairn('bench', lenet, '--profile', '--json', '--seconds', '0.05', '--starts', '0')
  const { profile } = JSON.parse(stdout).models[0]
  const { program } = build(zoo.lenet5.build())
  assert.is(new Set(program.calls.map(call => call.node)).size, profile.layers.length)
  assert.equal(profile.kernels.map((k: { kernel: string }) => k.kernel).sort(), program.kernels.map(k => k.name).sort())
  const shares = profile.layers.reduce((sum: number, layer: { share: number }) => sum + layer.share, 0)
  assert.ok(Math.abs(shares - 1) < 1e-6)
})

command('says in a line what it cannot do', () => {
  for (const [status, pattern, ...args] of [
    [2, /<model\.\.\.> is missing/],
    [2, /--vs torch: ort-web, ort-node, ort-webgpu, tfjs are allowed/, lenet, '--vs', 'torch'],
    [2, /--seconds 0: a number above 0/, lenet, '--seconds', '0'],
    [1, /cannot read model/, join(folder, 'none.onnx')]
  ] as [number, RegExp, ...string[]][]) {
    const result = cairn('bench', ...args)
    assert.is(result.status, status)
    assert.match(result.stderr, pattern)
    assert.is(result.stderr.trim().split('\n').length, 1)
  }
  assert.match(cairn('bench', '--help').stdout, /cairn bench mobilenet\.onnx/)
})
command.run()

const shared = suite('what benchmarks share')

shared('quantiles, spreads and ratios', () => {
  assert.is(quantile([4, 1, 3, 2], 0.5), 2.5)
  assert.equal(spreadOf([1, 2, 3, 4, 5]), { median: 3, low: 2, high: 4 })
  assert.is(ratioOf([1, 2, 4], [2, 6, 12]).median, 3)
  assert.ok(Math.abs(geometricMean([1, 4]) - 2) < 1e-12)
})

shared('turns go round, so that everyone comes first', async () => {
  const order: string[] = []
  const contestants = ['a', 'b', 'c'].map(name => ({ run: () => order.push(name) }))
  const times = await interleave(contestants, { seconds: 0, least: 3 })
  assert.is(order.join(''), 'abcabcbcacab')
  assert.equal(
    times.map(list => list.length),
    [3, 3, 3]
  )
})

shared('tensors are turned to another order and back', () => {
  const data = Float32Array.from({ length: 24 }, (_, i) => i)
  const turned = permuted(data, [1, 2, 3, 4], [0, 2, 3, 1])
  assert.equal([...turned.slice(0, 4)], [0, 12, 1, 13])
  assert.equal([...permuted(turned, [1, 2, 3, 4], [0, 2, 3, 1], true)], [...data])
})

/** What cli/measure/tfjs/convert.ts converts beyond the networks of the zoo, each against Cairn. */
const graphs: Readonly<Record<string, (m: ModelBuilder, x: string) => string>> = {
  'a convolution in two groups, a residual and HardSwish': (m, x) => {
    const y = m.add('Conv', [x, m.weights([8, 2, 3, 3])], { group: 2, pads: [1, 1, 1, 1] })
    const z = m.add('Conv', [y, m.weights([8, 8, 1, 1]), m.weights([8])])
    return m.add('HardSwish', [m.add('Add', [z, y])])
  },
  'a transposed convolution and a resize': (m, x) => {
    const y = m.add('ConvTranspose', [x, m.weights([4, 6, 2, 2]), m.weights([6])], { strides: [2, 2] })
    const size = m.ints([1, 6, 20, 24])
    return m.add('Resize', [y, undefined, undefined, size], { mode: 'linear' })
  },
  'pools that round up or leave the padding out': (m, x) => {
    const window = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }
    const largest = m.add('MaxPool', [x], { ...window, ceil_mode: 1 })
    return m.add('Mul', [m.add('AveragePool', [largest], { kernel_shape: [2, 2], pads: [1, 1, 0, 0] }), m.scalar(2)])
  },
  'channels shuffled, cut and joined': (m, x) => {
    const split = m.add('Reshape', [x, m.ints([1, 2, 2, 8, 10])])
    const turned = m.add('Transpose', [split], { perm: [0, 2, 1, 3, 4] })
    const y = m.add('Reshape', [turned, m.ints([1, 4, 8, 10])])
    const cut = m.add('Slice', [y, m.ints([1, -5]), m.ints([3, 100]), m.ints([1, 3])])
    const thin = m.add('Slice', [y, m.ints([1]), m.ints([8]), m.ints([2]), m.ints([3])])
    const wide = m.add('Pad', [thin, m.ints([0, 0, 2, 1, 0, 0, 3, 0]), m.scalar(0.5)])
    const conv = m.add('Conv', [cut, m.weights([3, 2, 1, 1])])
    const row = m.add('Slice', [wide, m.ints([0]), m.ints([5]), m.ints([3])])
    return m.add('Concat', [cut, conv, cut, row], { axis: 1 })
  },
  'rows through a matrix, softmax': (m, x) => {
    const flat = m.add('Flatten', [m.add('Conv', [x, m.weights([3, 4, 3, 3])])])
    const y = m.add('Gemm', [flat, m.weights([7, 3 * 6 * 8]), m.weights([7])], { transB: 1 })
    return m.add('Softmax', [y], { axis: 1 })
  }
}
for (const [name, draw] of Object.entries(graphs))
  shared(`TensorFlow.js computes the same: ${name}`, async () => {
    const model = new ModelBuilder()
    const subject = subjectOf(name, model.output(draw(model, model.input([1, 4, 8, 10]))).encode())
    const own = await openOn('cairn', subject, { threads: 1 })
    const checked = await openChecked('tfjs', subject, { threads: 1 }, await own.run(), 1e-4)
    assert.type(checked, 'object', String(checked))
    await own.release()
  })

shared('what a peer cannot do is told with the node', async () => {
  const subject = subjectOf('lenet5', zoo.lenet5.build({ batch: 1 }))
  assert.match(String(await openChecked('tfjs', subject, { threads: 2 }, [], 1e-4)), /one thread/)
  const many = new ModelBuilder()
  const y = many.add('Conv', [many.input([1, 16, 6, 6]), many.weights([16, 2, 3, 3])], { group: 8 })
  const refused = await openChecked('tfjs', subjectOf('grouped', many.output(y).encode()), { threads: 1 }, [], 1e-4)
  assert.match(String(refused), /Conv "conv_\d+": it has no convolution in 8 groups/)
})
shared.run()

const shapes = suite('layer shapes')
const files = readdirSync(join(root, 'bench', 'shapes'))

shapes('every network of the zoo has its file, and every line reads back as it is written', () => {
  assert.equal(files.map(file => file.slice(0, -4)).sort(), Object.keys(zoo).sort())
  for (const file of files) {
    const text = readFileSync(join(root, 'bench', 'shapes', file), 'utf8')
    const layers = parseFile(text)
    assert.ok(layers.length > 3, file)
    for (const layer of layers) assert.ok(text.includes(showLine(layer)), `${file}: ${showLine(layer)}`)
  }
})

shapes('a line becomes the layer that it says', () => {
  for (const line of [
    'conv 1x8x12x10 16 3x3 s2 p1 relu',
    'conv 1x8x12x10 8 5x5 s1 p2 g8 +res hardSwish(0.1666667,0.5)',
    'conv 1x8x12x10 4 1x7 s1 p0x3 relu6 +res',
    'convtranspose 1x8x6x5 4 2x2 s2 p0',
    'gemm 1x20 7 tanh',
    'maxpool 1x4x13x13 3x3 s2 p0 ceil',
    'avgpool 1x4x8x8 3x3 s1 p1 padded',
    'globalavgpool 1x6x5x5',
    'mul 1x6x5x5 1x6x1x1',
    'resize 1x2x4x4 8x8 half_pixel',
    'lrn 1x8x4x4 5',
    'scaleshift 1x8x4x4 relu',
    'softmax 1x10',
    'act 1x8x4x4 silu'
  ]) {
    const layer = parseLine(`3x ${line}   # somewhere`)
    assert.is(showLayer(layer), line)
    assert.equal([layer.times, layer.name], [3, 'somewhere'])
    const { graph } = build(layerModel(layer))
    assert.equal(graph.outputs[0].shape, outputShape(layer), line)
    const { program } = build(layerModel(layer, { sets: 3, applied: 2 }))
    assert.equal(program.outputs[0].shape.slice(0, 2), [1, 3], line)
  }
})
shapes.run()
