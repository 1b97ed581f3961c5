// cairn quantise and cairn compile --weights int8: what they write, say and refuse.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { allowanceOf } from '../../cli/device/index.js'
import { encodeNpy, stepsOf } from '../../cli/model/index.js'
import { pngOf } from '../../cli/pictures/index.js'
import { Progress } from '../../cli/terminal/index.js'
import { importOnnx } from '../../compiler/onnx/index.js'
import { Tensor } from '../../runtime/index.js'
import { commandLine } from '../support/host/command-line.js'
import { decodeModel, ModelBuilder } from '../support/onnx/model.js'
import { baseSeed, Random } from '../support/random.js'

const test = suite(`quantise on the command line (seed ${baseSeed})`)
const random = new Random('cli quantise')
const folder = mkdtempSync(join(tmpdir(), 'cairn-quantise-'))
const length = (name: string) => readFileSync(join(folder, name)).length

test.before(() => {
  const m = new ModelBuilder(random)
  const x = m.input(['N', 3, 16, 16])
  const conv = m.add('Relu', [m.add('Conv', [x, m.weights([32, 3, 3, 3])], { strides: [2, 2] })])
  const next = m.add('Relu', [m.add('Conv', [conv, m.weights([64, 32, 3, 3])])])
  m.output(m.add('Gemm', [m.add('Flatten', [m.add('GlobalAveragePool', [next])]), m.weights([64, 10])]))
  writeFileSync(join(folder, 'm.onnx'), m.encode())
  mkdirSync(join(folder, 'photos', 'cats'), { recursive: true })
  mkdirSync(join(folder, 'empty'))
  writeFileSync(join(folder, 'photos', 'notes.txt'), 'no picture')
  for (let i = 0; i < 4; i++) {
    const data = Uint8Array.from({ length: 20 * 24 * 3 }, () => random.int(0, 255))
    writeFileSync(join(folder, 'photos', 'cats', `${i}.png`), pngOf({ data, width: 24, height: 20 }))
  }
  const npy = (name: string, ...dims: number[]) => {
    const count = dims.reduce((a, b) => a * b)
    const values = Float32Array.from(random.values(count))
    writeFileSync(join(folder, name), encodeNpy(new Tensor('float32', values, dims)))
  }
  npy('batch.npy', 5, 3, 16, 16)
  npy('wrong.npy', 5, 3, 16, 15)
})
test.after(() => rmSync(folder, { recursive: true, force: true }))

const cairn = commandLine(folder)

function refused(status: number, message: RegExp, ...args: string[]): void {
  const { status: code, stderr } = cairn(...args)
  assert.match(stderr, message)
  assert.is(stderr.trim().split('\n').length, 1, stderr)
  assert.is(code, status)
}

test('a folder of pictures: what each layer loses, a .cairn that runs', () => {
  const { status, stdout, stderr } = cairn('quantise', 'm.onnx', '--calibrate', 'photos')
  assert.is(status, 0, stderr)
  assert.match(stdout, /calibrated with +4 pictures of photos/)
  assert.match(stdout, /Conv +\d+\.\d/)
  assert.match(stdout, /layers on bytes +3 of 3/)
  assert.ok(length('m.int8.cairn') < length('m.onnx') / 2)
  assert.is(cairn('run', 'm.int8.cairn', '--image', 'photos/cats/1.png').status, 0)
})

test('a batch to a QDQ model, as JSON', () => {
  const { status, stdout, stderr } = cairn('quantise', 'm.onnx', '--calibrate', 'batch.npy', '-o', 'q.onnx', '--json')
  assert.is(status, 0, stderr)
  const { layers, tensors, feeds, error, data } = JSON.parse(stdout)
  assert.equal([layers.length, feeds, data], [3, 5, '5 examples of batch.npy'])
  assert.ok(error < 0.1 && tensors.length > 3)
  const ops = decodeModel(readFileSync(join(folder, 'q.onnx'))).graph!.node!.map(({ opType }) => opType)
  assert.ok(ops.includes('QuantizeLinear'))
})

test('quantised models are verified in steps of their bytes, with exact sums on both sides, and benched', () => {
  const { status, stdout, stderr } = cairn('verify', 'q.onnx', '--device', 'wasm')
  assert.is(status, 0, stderr)
  assert.match(stdout, /relative +at 3 steps\n.*\n.* ok\n/)
  assert.is(JSON.parse(cairn('verify', 'q.onnx', '--json').stdout).steps, 3)
  assert.is(cairn('verify', 'q.onnx', '--layers', '--device', 'wasm').status, 0)
  assert.match(cairn('verify', 'm.onnx', '--device', 'wasm').stdout, /at 0\.001\n/)
  const strict = cairn('verify', 'q.onnx', '--tolerance', '0', '--device', 'wasm')
  assert.match(strict.stdout, /at 0\n/)
  const quick = ['--seconds', '0.05', '--starts', '0', '--device', 'wasm', '--json']
  const benched = cairn('bench', 'q.onnx', 'm.onnx', ...quick)
  assert.is(benched.status, 0, benched.stderr)
  assert.equal(
    JSON.parse(benched.stdout).models.map(({ verified }: { verified: { error: number } }) => verified.error < 0.1),
    [true, true]
  )
})

test('steps are those of the bytes that an output comes from', () => {
  const scale = random.uniform(0.01, 0.1)
  const m = new ModelBuilder(random, 17)
  const levels = [m.scalar(scale), m.constant({ dtype: 'uint8', dims: [], data: [7] })]
  const x = m.add('DequantizeLinear', [m.add('QuantizeLinear', [m.input([1, 4, 6, 6]), ...levels]), ...levels])
  const soft = m.add('Softmax', [m.add('Flatten', [x])])
  const conv = m.add('Conv', [x, m.weights([2, 4, 1, 1])])
  for (const name of [x, soft, conv]) m.output(name)
  const steps = stepsOf(importOnnx(m.encode()))!
  assert.ok([x, soft].every(name => Math.abs(steps(name)! - scale) < 1e-6 * scale))
  assert.is(steps(conv), undefined)
  const allowance = allowanceOf(undefined, steps)
  const off = (name: string, absolute: number, largest: number) => ({
    name,
    dims: [1],
    absolute,
    largest,
    relative: absolute / largest
  })
  assert.ok(allowance.passes(off(x, 3 * scale, 10 * scale)))
  assert.not.ok(allowance.passes(off(x, 3.1 * scale, 10 * scale)))
  assert.ok(allowance.passes(off(conv, 2.9 / 255, 1)))
  assert.not.ok(allowance.passes(off(conv, 3.1 / 255, 1)))
  assert.not.ok(allowance.passes(off(x, Number.POSITIVE_INFINITY, 1)))
  assert.not.ok(allowanceOf(1e-4, steps).passes(off(x, scale, 10 * scale)))
  const float = new ModelBuilder(random)
  float.output(float.add('Relu', [float.input([1, 2])]))
  assert.is(stepsOf(importOnnx(float.encode())), undefined)
})

test('where no terminal shows a bar, long work is told of in lines', () => {
  const { now } = Date
  const { write } = process.stderr
  const { isTTY } = process.stderr
  const told: string[] = []
  let time = 0
  try {
    Date.now = () => time
    process.stderr.isTTY = false
    process.stderr.write = (text: string | Uint8Array) => told.push(String(text)) > 0
    const [quiet, loud] = [new Progress(9), new Progress(9, 'lines')]
    for (let done = 1; done <= 9; done++, time += 4000) for (const each of [quiet, loud]) each.step(done, 'histograms')
  } finally {
    Object.assign(Date, { now })
    Object.assign(process.stderr, { write, isTTY })
  }
  assert.equal(
    told,
    [4, 7].map(done => `cairn: ${done} of about 9: histograms\n`)
  )
})

test('inspect counts the weights of 8 bits and says what computes with them', () => {
  const figures = (name: string) => JSON.parse(cairn('inspect', name, '--json').stdout)
  const [float, qdq] = [figures('m.onnx'), figures('q.onnx')]
  assert.is(float.weights, 'f32')
  assert.is(qdq.weights, 'int8, layers on bytes')
  // A corrected bias is one more number for each filter that had none.
  assert.ok(qdq.parameters >= float.parameters && qdq.parameters <= float.parameters + 32 + 64 + 10, qdq.parameters)
  assert.is(cairn('compile', 'm.onnx', '--weights', 'int8', '-o', 'alone.cairn').status, 0)
  assert.is(figures('alone.cairn').weights, 'int8, widened when loaded: float arithmetic')
  assert.match(cairn('inspect', 'alone.cairn').stdout, /weights +int8, widened when loaded/)
})

test('weights of 7 bits, one picture, the other spelling, a report of what is written', () => {
  const page = ['--report', 'q.html', '-o', 'seven.onnx']
  const { status, stdout, stderr } = cairn(
    'quantize',
    'm.onnx',
    '--calibrate',
    'photos/cats/2.png',
    '--weight-bits',
    '7',
    ...page
  )
  assert.is(status, 0, stderr)
  assert.match(stdout, /calibrated with +the picture photos\/cats\/2\.png/)
  assert.match(stdout, /weights +int8 of 7 bits, a scale for each filter/)
  assert.match(stdout, /layer +operator +SQNR alone \(dB\) +computes with\n.*\n.*bytes\n/)
  const { initializer } = decodeModel(readFileSync(join(folder, 'seven.onnx'))).graph!
  const weights = initializer!.filter(({ dataType, dims }) => dataType === 3 && dims!.length > 1)
  for (const { rawData } of weights) assert.is(Math.max(...Int8Array.from(rawData!).map(Math.abs)), 64)
  const html = readFileSync(join(folder, 'q.html'), 'utf8')
  for (const title of ['Layers on bytes', 'Tensors of bytes', 'Memory plan', 'Passes']) assert.match(html, title)
})

test('what is damaged or no picture is left out and told; of train/ and val/ the first is calibrated with', () => {
  const [whole] = ['photos/cats/0.png'].map(name => readFileSync(join(folder, name)))
  for (const part of ['train', 'val']) mkdirSync(join(folder, 'parts', part, 'cats'), { recursive: true })
  writeFileSync(join(folder, 'parts', 'train', 'cats', 'a.png'), whole)
  writeFileSync(join(folder, 'parts', 'train', 'cats', 'b.png'), whole.subarray(0, whole.length - 40))
  writeFileSync(join(folder, 'parts', 'train', 'list.txt'), 'a list')
  writeFileSync(join(folder, 'parts', 'val', 'cats', 'c.png'), whole)
  const { status, stdout, stderr } = cairn('quantise', 'm.onnx', '--calibrate', 'parts', '-o', 'parts.cairn')
  assert.is(status, 0, stderr)
  assert.match(stdout, /calibrated with +1 picture of parts.train\n/)
  assert.match(stderr, /^cairn: note: m\.onnx: left out of parts.train: 1 × damaged image .*\(cats.b\.png\)$/m)
  assert.match(stderr, /1 × .*\(list\.txt\)$/m)
  assert.match(stderr, /1 of 2 pictures are calibrated with$/m)
  assert.match(stderr, /calibrated with parts.train; what else is in parts is left for validation$/m)
})

test('where sizes are free, pictures are calibrated with at 512 pixels a side, or as --size says', () => {
  const m = new ModelBuilder(random)
  const x = m.input(['N', 3, 'H', 'W'])
  m.output(
    m.add('Conv', [
      m.add('Relu', [m.add('Conv', [x, m.weights([4, 3, 3, 3])], { strides: [4, 4] })]),
      m.weights([2, 4, 1, 1])
    ])
  )
  writeFileSync(join(folder, 'free.onnx'), m.encode())
  mkdirSync(join(folder, 'large'))
  const [width, height] = [random.int(900, 1100), random.int(500, 700)]
  const data = new Uint8Array(width * height * 3).map(() => random.int(0, 255))
  writeFileSync(join(folder, 'large', 'a.png'), pngOf({ data, width, height }))
  const { status, stderr } = cairn('quantise', 'free.onnx', '--calibrate', 'large')
  assert.is(status, 0, stderr)
  assert.match(
    stderr,
    /sizes are free: pictures are calibrated with at up to 512 pixels a side \(--size HxW is one\)\n/
  )
  assert.is(cairn('quantise', 'free.onnx', '--calibrate', 'large', '--size', '64x96').stderr, '')
})

test('compile says which mode did what', () => {
  const alone = cairn('compile', 'm.onnx', '--weights', 'int8', '-o', 'w.cairn')
  assert.match(alone.stdout, /weights int8, widened when loaded: float arithmetic/)
  const both = cairn(
    'compile',
    'm.onnx',
    '--weights',
    'int8',
    '--calibrate',
    '2',
    '-o',
    'b.cairn',
    '--report',
    'b.html'
  )
  assert.match(both.stdout, /weights int8, layers on bytes/)
  assert.match(both.stderr, /^cairn: note: m\.onnx: calibrated with 2 drawn scenes, not with pictures$/m)
  for (const name of ['w.cairn', 'b.cairn']) assert.ok(length(name) < length('m.onnx') / 2.5, name)
  const page = readFileSync(join(folder, 'b.html'), 'utf8')
  assert.match(page, /Tensors of bytes: ranges, clipping and error/)
  assert.match(cairn('compile', '--help').stdout, /int8 alone is a quarter of the download, widened when it is loaded/)
})

test('layers that stay float', () => {
  const names = JSON.parse(cairn('quantise', 'm.onnx', '--calibrate', '2', '--json').stdout).layers.map(
    ({ name }: { name: string }) => name
  )
  const last = names.at(-1)
  const kept = cairn('quantise', 'm.onnx', '--calibrate', '2', '--keep', last, '--json')
  assert.is(JSON.parse(kept.stdout).layers.find(({ name }: { name: string }) => name === last).kept, 'asked')
  const budget = cairn('quantise', 'm.onnx', '--calibrate', '1', '--int8-budget', '0')
  assert.match(budget.stdout, /SQNR alone \(dB\) +error alone +computes with\n/)
  assert.match(budget.stdout, /-?\d+\.\d +\d\.?\d*(e-\d+)? +float: costs most\n/)
  assert.match(budget.stderr, /m\.onnx: calibrated with 1 drawn scene, not with pictures\n/)
  assert.match(budget.stderr, /the budget of 0 leaves 0 of 3 layers on bytes; weights alone in 8 bits/)
})

test('what is refused, in one line', () => {
  const quantise = ['quantise', 'm.onnx', '-o', 'never.cairn', '--calibrate']
  refused(1, /^cairn: --calibrate empty: no pictures in it/, ...quantise, 'empty')
  refused(1, /^cairn: --calibrate nowhere: no such folder or file/, ...quantise, 'nowhere')
  for (const wrong of ['0', '-3', '1.5'])
    refused(2, /^cairn: --calibrate -?[\d.]+: a whole number from 1 is allowed/, ...quantise, wrong)
  refused(1, /wrong\.npy: its shape is \[5×3×16×15\]; examples for "x.*\] are allowed/, ...quantise, 'wrong.npy')
  refused(1, /^cairn: m\.onnx: keep "nobody": no layer of that name; there are /, ...quantise, '2', '--keep', 'nobody')
  refused(2, /^cairn: --int8-budget -1/, ...quantise, '2', '--int8-budget', '-1')
  refused(2, /^cairn: --calibrate is missing/, 'quantise', 'm.onnx')
  refused(2, /^cairn: --calibrate is of no use without --weights int8/, 'compile', 'm.onnx', '--calibrate', '2')
  refused(2, /^cairn: --keep is of no use without --calibrate/, 'compile', 'm.onnx', '--weights', 'int8', '--keep', 'a')
  refused(2, /^cairn: --weight-bits 6: 7, 8 are allowed/, ...quantise, '2', '--weight-bits', '6')
  for (const flag of ['--labels', '--threads', '--device', '--limit'])
    refused(2, new RegExp(`^cairn: ${flag} is of no use without --evaluate`), ...quantise, '2', flag, '1')
  for (const source of ['2', 'batch.npy'])
    refused(
      2,
      /^cairn: --mean is of no use with --calibrate .*: pictures alone are/,
      ...quantise,
      source,
      '--mean',
      '0'
    )
  const alone = ['compile', 'm.onnx', '--weights', 'int8', '-o', 'never.cairn']
  refused(2, /^cairn: --std is of no use without --calibrate/, ...alone, '--std', '1')
  refused(2, /^cairn: --size is of no use without --calibrate/, ...alone, '--size', '32')
  refused(1, /--size 32x32: input .* is fixed to 16x16/, ...quantise, 'photos', '--size', '32')
  const named = ['quantise', 'm.onnx', '--calibrate', '2', '-o']
  refused(2, /^cairn: -o never\.txt: a name that ends in \.cairn or \.onnx is allowed/, ...named, 'never.txt')
  refused(
    2,
    /^cairn: -o never\.onnx: a name that ends in \.cairn or \.wasm is allowed/,
    'compile',
    'm.onnx',
    '-o',
    'never.onnx'
  )
  refused(2, /^cairn: -o never\.bin: a name that ends in \.cairn/, 'compile', 'm.onnx', '-o', 'never.bin')
  for (const name of ['never.cairn', 'never.txt', 'never.onnx']) assert.not.ok(existsSync(join(folder, name)))
})

test('models that take no one picture are told so in words of quantise', () => {
  const two = new ModelBuilder(random)
  const inputs = [0, 1].map(() => two.add('Conv', [two.input([1, 3, 8, 8]), two.weights([4, 3, 1, 1])]))
  two.output(two.add('Add', inputs))
  writeFileSync(join(folder, 'two.onnx'), two.encode())
  const many = new ModelBuilder(random)
  many.output(many.add('Conv', [many.input([4, 3, 8, 8]), many.weights([4, 3, 1, 1])]))
  writeFileSync(join(folder, 'four.onnx'), many.encode())
  const own = (model: string) => ['quantise', model, '--calibrate', 'photos']
  refused(
    1,
    /--calibrate photos: the model takes "x.*, pictures are one; a number of scenes is allowed/,
    ...own('two.onnx')
  )
  refused(
    1,
    /--calibrate photos: input .* wants 4 images at once; a \.npy or a number of scenes is/,
    ...own('four.onnx')
  )
})

test.run()
