// What quantising costs, measured: accuracies, agreement and the worst pictures of two networks, and the command that prints them.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { quantised } from '../../bench/int8/quantiser.js'
import { pngOf } from '../../cli/pictures/contact-sheet.js'
import { compareAccuracy } from '../../cli/quantise/evaluate.js'
import { matchClasses } from '../../cli/quantise/match.js'
import { zoo } from '../../models/index.js'
import { type InferenceSession, Tensor } from '../../runtime/index.js'
import { baseSeed, Random } from '../support/random.js'
import { root } from '../support/root.js'

const test = suite(`cairn quantise --evaluate (seed ${baseSeed})`)
const cli = join(root, 'dist', 'cli', 'index.js')
const folder = mkdtempSync(join(tmpdir(), 'cairn-quantise-'))
const at = (...parts: string[]) => join(folder, ...parts)
test.after(() => rmSync(folder, { recursive: true, force: true }))

/** A session that gives row after row of scores. */
function scripted(rows: readonly (readonly number[])[]): InferenceSession {
  let next = 0
  const run = async () => ({ scores: new Tensor('float32', Float32Array.from(rows[next++]), [1, rows[0].length]) })
  return { run } as unknown as InferenceSession
}

const probabilities = (scores: readonly number[]) => {
  const powers = scores.map(Math.exp)
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map(power => power / sum)
}

test('shares, agreement and the worst are what counting says', async () => {
  const random = new Random('comparison')
  const [images, count] = [40, 12]
  const rows = () => Array.from({ length: images }, () => Array.from({ length: count }, () => random.uniform(-3, 3)))
  const [float, noise] = [rows().map(row => row.map(Math.fround)), rows()]
  const int8 = float.map((row, i) => row.map((score, j) => Math.fround(score + 0.3 * noise[i][j])))
  const labels = float.map(() => random.int(0, count - 1))
  const names = labels.map((_, i) => `picture ${i}`)
  const scores = { output: 'scores', softmax: true, count }
  const examples = { names, labels, input: () => ({}) }
  const found = await compareAccuracy({ float: scripted(float), int8: scripted(int8) }, scores, examples)

  const ranked = (row: readonly number[]) => row.map((_, i) => i).sort((a, b) => row[b] - row[a])
  const within = (list: readonly number[][], first: number) =>
    list.filter((row, i) => ranked(row).slice(0, first).includes(labels[i])).length / images
  assert.equal([found.float.top1, found.float.top5], [within(float, 1), within(float, 5)])
  assert.equal([found.int8.top1, found.int8.top5], [within(int8, 1), within(int8, 5)])
  assert.is(found.agreement, float.filter((row, i) => ranked(row)[0] === ranked(int8[i])[0]).length / images)
  const moved = float.map((row, i) => {
    const [a, b] = [probabilities(row), probabilities(int8[i])]
    return a.reduce((sum, share, j) => sum + Math.abs(share - b[j]), 0) / 2
  })
  const worst = moved.map((_, i) => i).sort((a, b) => moved[b] - moved[a])
  assert.equal(
    found.worst.map(({ name }) => name),
    worst.slice(0, 10).map(i => names[i])
  )
  const [first] = found.worst
  assert.is(first.float.class, ranked(float[worst[0]])[0])
  assert.ok(Math.abs(first.int8.confidence - Math.max(...probabilities(int8[worst[0]]))) < 1e-6)
})

test('equal scores belong to the first class, and what does not differ is not among the worst', async () => {
  const same = [[1, 1, 0]]
  const scores = { output: 'scores', softmax: true, count: 3 }
  const examples = { names: ['a'], labels: [1], input: () => ({}) }
  const { float, worst } = await compareAccuracy({ float: scripted(same), int8: scripted(same) }, scores, examples)
  assert.is(float.top1, 0)
  assert.is(float.top5, 1)
  assert.equal(worst, [])
})

test('classes are matched by name, by number, or in their order', () => {
  const match = (wanted: string[], names: string[] | undefined, total: number) =>
    matchClasses({ data: 'photos', wanted, names, total })
  assert.equal(match(['Great_White', 'tench'], ['tench, Tinca tinca', 'x', 'great white'], 3), {
    classes: [2, 0],
    by: 'name'
  })
  assert.equal(match(['b', 'a'], ['background', 'a', 'b'], 2), { classes: [1, 0], by: 'name' })
  assert.equal(match(['7', '3'], ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'], 8), { classes: [7, 3], by: 'number' })
  assert.equal(match(['left', 'top'], undefined, 2), { classes: [0, 1], by: 'order' })
  assert.throws(() => match(['left', 'top'], undefined, 3), /photos has 2 classes and the model 3: .*--labels does/)
  assert.throws(() => match(['left', 'cat'], ['cat', 'dog', 'cow'], 3), /"left" are no names/)
  assert.throws(() => match(['left'], ['cat', 'dog'], 3), /2 names of classes; the model gives 3 scores/)
})

function cairn(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8', cwd: folder })
  return { status, out: stdout, err: stderr }
}

/** Pictures of 32×32 that are bright on the left, or on top. */
function writeImages(name: string, classes: readonly [string, string], each: number): void {
  const random = new Random(name)
  for (const [label, own] of classes.entries()) {
    mkdirSync(at(name, own), { recursive: true })
    for (let i = 0; i < each; i++) {
      const bright = (p: number) => ((label ? p >> 5 : p & 31) < 16 ? 150 : 50) + random.int(0, 60)
      const data = Uint8Array.from({ length: 32 * 32 * 3 }, (_, j) => bright(Math.floor(j / 3)))
      writeFileSync(at(name, own, `${i}.png`), pngOf({ data, width: 32, height: 32 }))
    }
  }
}

test('the command measures a trained network and what quantising has made of it', async () => {
  writeFileSync(at('lenet5.onnx'), zoo.lenet5.build())
  writeImages('images', ['left', 'top'], 10)
  const usual = ['--data', 'images', '--epochs', '5', '--lr', '0.01', '--batch', '8', '-o', 'signs.onnx', '--json']
  const trained = cairn('train', 'lenet5.onnx', ...usual)
  assert.is(trained.status, 0, trained.err)
  const random = new Random('calibration')
  const feeds = Array.from({ length: 4 }, () => ({
    input: new Tensor(
      'float32',
      Float32Array.from({ length: 1024 }, () => random.uniform(-2, 2)),
      [1, 1, 32, 32]
    )
  }))
  writeFileSync(at('signs-int8.onnx'), await quantised(readFileSync(at('signs.onnx')), feeds))

  const command = ['quantise', 'signs.onnx', '--quantised', 'signs-int8.onnx', '--evaluate', 'images']
  const json = cairn(...command, '--json')
  assert.is(json.status, 0, json.err)
  const found = JSON.parse(json.out).evaluation
  assert.is(found.images, 20)
  assert.is(found.matched, 'name')
  assert.equal(found.classes, [
    { name: 'left', index: 0 },
    { name: 'top', index: 1 }
  ])
  assert.ok(found.float.top1 > 0 && found.float.top1 <= 1 && found.float.top5 === 1, json.out)
  assert.ok(found.agreement > 0 && found.worst.length > 0 && found.worst[0].moved >= found.worst[1].moved, json.out)

  const text = cairn(...command)
  assert.is(text.status, 0, text.err)
  assert.match(text.out, /20 images of 2 classes; classes are matched by the model's names/)
  assert.match(text.out, /float +\d+\.\d\d % +100\.00 % .*\nint8 +\d+\.\d\d % +100\.00 %/)
  assert.match(text.out, /images\/(left|top)\/\d\.png +(left|top) +(left|top) \d+\.\d\d % +(left|top) \d+\.\d\d %/)
})

test('a network is quantised and measured in one go, and what is measured is what is written', () => {
  const command = ['quantise', 'signs.onnx', '--calibrate', 'images', '--evaluate', 'images', '--json']
  const made = cairn(...command, '-o', 'signs.qdq.onnx')
  assert.is(made.status, 0, made.err)
  const { evaluation } = JSON.parse(made.out)
  const again = cairn('quantise', 'signs.onnx', '--quantised', 'signs.qdq.onnx', '--evaluate', 'images', '--json')
  assert.is(again.status, 0, again.err)
  const figures = ({ images, agreement, worst, ...rest }: typeof evaluation) =>
    [images, agreement, worst, rest.int8.top1, rest.float.top1] as const
  assert.equal(figures(JSON.parse(again.out).evaluation), figures(evaluation))
})

/** An IDX file of bytes. */
function idx(sizes: readonly number[], data: Uint8Array): Uint8Array {
  const head = new DataView(new ArrayBuffer(4 + sizes.length * 4))
  head.setUint32(0, 0x800 + sizes.length)
  sizes.forEach((size, i) => head.setUint32(4 + i * 4, size))
  return new Uint8Array([...new Uint8Array(head.buffer), ...data])
}

test("of IDX files the tests' pictures are measured, whose classes are numbers", () => {
  mkdirSync(at('idx'))
  const random = new Random('idx')
  for (const [part, count] of [
    ['train', 3],
    ['t10k', 7]
  ] as const) {
    const pixels = Uint8Array.from({ length: count * 28 * 28 }, () => random.int(0, 255))
    const labels = Uint8Array.from({ length: count }, (_, i) => i)
    writeFileSync(at('idx', `${part}-images-idx3-ubyte`), idx([count, 28, 28], pixels))
    writeFileSync(at('idx', `${part}-labels-idx1-ubyte`), idx([count], labels))
  }
  const command = ['quantise', 'lenet5.onnx', '--quantised', 'lenet5.onnx', '--evaluate', 'idx']
  const { status, out, err } = cairn(...command)
  assert.is(status, 0, err)
  assert.match(
    out,
    /^7 images of 7 classes, those that the data keeps for validation; classes are matched by index, the/
  )
  assert.match(out, /both give the same class for 100\.00 % of the images\nno image gets other probabilities/)
})

test('what cannot be measured is refused in one line', () => {
  writeImages('others', ['a', 'b'], 1)
  const refused = (pattern: RegExp, status: number, ...args: string[]) => {
    const result = cairn('quantise', ...args)
    assert.match(result.err, pattern)
    assert.match(result.err, /^cairn: [^\n]*\n$/)
    assert.is(result.status, status)
  }
  refused(/--quantised needs --evaluate DATA/, 2, 'lenet5.onnx', '--quantised', 'signs-int8.onnx')
  refused(/--calibrate is missing/, 2, 'lenet5.onnx', '--evaluate', 'images')
  const both = ['signs.onnx', '--quantised', 'signs-int8.onnx', '--evaluate']
  refused(/--evaluate nowhere: no such folder/, 1, ...both, 'nowhere')
  refused(
    /others has 2 classes and the model 10/,
    1,
    'lenet5.onnx',
    '--quantised',
    'lenet5.onnx',
    '--evaluate',
    'others'
  )
  refused(
    /in the quantised model; 2 in the one of floats/,
    1,
    'signs.onnx',
    '--quantised',
    'lenet5.onnx',
    '--evaluate',
    'images'
  )
})

test.run()
