// cairn quantise and cairn compile --weights int8: what they write, say and refuse.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeNpy } from '../../cli/model/index.js'
import { pngOf } from '../../cli/pictures/index.js'
import { Tensor } from '../../runtime/index.js'
import { decodeModel, ModelBuilder } from '../support/onnx/model.js'
import { baseSeed, Random } from '../support/random.js'
import { root } from '../support/root.js'

const test = suite(`quantise on the command line (seed ${baseSeed})`)
const random = new Random('cli quantise')
const folder = mkdtempSync(join(tmpdir(), 'cairn-quantise-'))
const cli = join(root, 'dist', 'cli', 'index.js')
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

function cairn(...args: string[]): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { cwd: folder, encoding: 'utf8' })
  return { status, out: stdout, err: stderr }
}

function refused(status: number, message: RegExp, ...args: string[]): void {
  const { status: code, err } = cairn(...args)
  assert.match(err, message)
  assert.is(err.trim().split('\n').length, 1, err)
  assert.is(code, status)
}

test('a folder of pictures: what each layer loses, a .cairn that runs', () => {
  const { status, out, err } = cairn('quantise', 'm.onnx', '--calibrate', 'photos')
  assert.is(status, 0, err)
  assert.match(out, /calibrated with +4 pictures of photos/)
  assert.match(out, /Conv +\d+\.\d/)
  assert.match(out, /layers on bytes +3 of 3/)
  assert.ok(length('m.int8.cairn') < length('m.onnx') / 2)
  assert.is(cairn('run', 'm.int8.cairn', '--image', 'photos/cats/1.png').status, 0)
})

test('a batch to a QDQ model, as JSON', () => {
  const { status, out, err } = cairn('quantise', 'm.onnx', '--calibrate', 'batch.npy', '-o', 'q.onnx', '--json')
  assert.is(status, 0, err)
  const { layers, tensors, feeds, error, data } = JSON.parse(out)
  assert.equal([layers.length, feeds, data], [3, 5, '5 examples of batch.npy'])
  assert.ok(error < 0.1 && tensors.length > 3)
  const ops = decodeModel(readFileSync(join(folder, 'q.onnx'))).graph!.node!.map(({ opType }) => opType)
  assert.ok(ops.includes('QuantizeLinear'))
  assert.is(cairn('verify', 'q.onnx', '--tolerance', '0.1').status, 0)
})

test('compile says which mode did what', () => {
  const alone = cairn('compile', 'm.onnx', '--weights', 'int8', '-o', 'w.cairn')
  assert.match(alone.out, /weights int8, widened when loaded: float arithmetic/)
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
  assert.match(both.out, /weights int8, layers on bytes/)
  assert.match(both.err, /m\.onnx: no calibration data: 2 drawn scenes/)
  for (const name of ['w.cairn', 'b.cairn']) assert.ok(length(name) < length('m.onnx') / 2.5, name)
  const page = readFileSync(join(folder, 'b.html'), 'utf8')
  assert.match(page, /Tensors of bytes: ranges, clipping and error/)
  assert.match(cairn('compile', '--help').out, /int8 alone is a quarter of the download, widened when it is loaded/)
})

test('layers that stay float', () => {
  const names = JSON.parse(cairn('quantise', 'm.onnx', '--calibrate', '2', '--json').out).layers.map(
    ({ name }: { name: string }) => name
  )
  const last = names.at(-1)
  const kept = cairn('quantise', 'm.onnx', '--calibrate', '2', '--keep', last, '--json')
  assert.is(JSON.parse(kept.out).layers.find(({ name }: { name: string }) => name === last).kept, 'asked')
})

test('what is refused, in one line', () => {
  const quantise = ['quantise', 'm.onnx', '-o', 'never.cairn', '--calibrate']
  refused(1, /^cairn: --calibrate empty: no pictures in it/, ...quantise, 'empty')
  refused(1, /^cairn: --calibrate nowhere: no such folder or file/, ...quantise, 'nowhere')
  refused(1, /^cairn: --calibrate 0: no such folder/, ...quantise, '0')
  refused(1, /wrong\.npy: its shape is \[5×3×16×15\]; examples for "x.*\] are allowed/, ...quantise, 'wrong.npy')
  refused(1, /^cairn: m\.onnx: keep "nobody": no layer of that name; there are /, ...quantise, '2', '--keep', 'nobody')
  refused(2, /^cairn: --int8-budget -1/, ...quantise, '2', '--int8-budget', '-1')
  refused(2, /^cairn: --calibrate is missing/, 'quantise', 'm.onnx')
  refused(2, /^cairn: --calibrate is of no use without --weights int8/, 'compile', 'm.onnx', '--calibrate', '2')
  refused(2, /^cairn: --keep is of no use without --calibrate/, 'compile', 'm.onnx', '--weights', 'int8', '--keep', 'a')
  assert.not.ok(existsSync(join(folder, 'never.cairn')))
})

test.run()
