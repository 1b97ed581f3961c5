// What quantising costs, measured: accuracies, agreement and the worst pictures of two networks, and the command that prints them.
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { pack } from 'tar-fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { quantised } from '../../bench/int8/quantiser.js'
import { pngOf } from '../../cli/pictures/contact-sheet.js'
import { compareAccuracy } from '../../cli/quantise/evaluate.js'
import { matchClasses } from '../../cli/quantise/match.js'
import { zoo } from '../../models/index.js'
import { type InferenceSession, Tensor } from '../../runtime/index.js'
import { commandLine } from '../support/host/command-line.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { baseSeed, Random } from '../support/random.js'

const test = suite(`cairn quantise --evaluate (seed ${baseSeed})`)
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

const cairn = commandLine(folder)

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
  assert.is(trained.status, 0, trained.stderr)
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
  assert.is(json.status, 0, json.stderr)
  const found = JSON.parse(json.stdout).evaluation
  assert.is(found.images, 20)
  assert.is(found.matched, 'name')
  assert.equal(found.classes, [
    { name: 'left', index: 0 },
    { name: 'top', index: 1 }
  ])
  assert.ok(found.float.top1 > 0 && found.float.top1 <= 1 && found.float.top5 === 1, json.stdout)
  assert.ok(found.agreement > 0 && found.worst.length > 0 && found.worst[0].moved >= found.worst[1].moved, json.stdout)

  const text = cairn(...command)
  assert.is(text.status, 0, text.stderr)
  assert.match(
    text.stdout,
    /int8 is signs-int8\.onnx: int8, layers on bytes\n20 images of 2 classes; classes are matched by the model's names/
  )
  assert.match(text.stdout, /float +\d+\.\d\d % +100\.00 % .*\nint8 +\d+\.\d\d % +100\.00 %/)
  assert.match(text.stdout, /images\/(left|top)\/\d\.png +(left|top) +(left|top) \d+\.\d\d % +(left|top) \d+\.\d\d %/)
})

test('a network is quantised and measured in one go, and what is measured is what is written', () => {
  const command = ['quantise', 'signs.onnx', '--calibrate', 'images', '--evaluate', 'images', '--json']
  const made = cairn(...command, '-o', 'signs.qdq.onnx')
  assert.is(made.status, 0, made.stderr)
  const { evaluation } = JSON.parse(made.stdout)
  const again = cairn('quantise', 'signs.onnx', '--quantised', 'signs.qdq.onnx', '--evaluate', 'images', '--json')
  assert.is(again.status, 0, again.stderr)
  const figures = ({ images, agreement, worst, ...rest }: typeof evaluation) =>
    [images, agreement, worst, rest.int8.top1, rest.float.top1] as const
  assert.equal(figures(JSON.parse(again.stdout).evaluation), figures(evaluation))
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
  assert.is(cairn('compile', 'lenet5.onnx', '--weights', 'int8', '-o', 'alone.cairn').status, 0)
  const command = ['quantise', 'lenet5.onnx', '--quantised', 'alone.cairn', '--evaluate', 'idx']
  const { status, stdout, stderr } = cairn(...command)
  assert.is(status, 0, stderr)
  assert.match(
    stdout,
    /^int8 is alone\.cairn: int8, widened when loaded: float arithmetic\n7 images of 7 classes, those that the data keeps for validation; classes are matched by index, the/
  )
  assert.match(stdout, /both give the same class for \d+\.\d\d % of the images\n/)
  // Label files say more than numbers.
  writeFileSync(at('digits.txt'), Array.from({ length: 10 }, (_, i) => `digit ${i}\n`).join(''))
  const named = cairn(...command, '--labels', 'digits.txt', '--limit', '3')
  assert.is(named.status, 0, named.stderr)
  assert.match(named.stdout, /\n3 of 7 images of 7 classes/)
  assert.match(named.stdout, /\n(test \d +digit \d +digit \d .* digit \d .*\n)+/)
})

test('what cannot be measured is refused in one line', () => {
  writeImages('others', ['a', 'b'], 1)
  const refused = (pattern: RegExp, status: number, ...args: string[]) => {
    const result = cairn('quantise', ...args)
    assert.match(result.stderr, pattern)
    assert.match(result.stderr, /^cairn: [^\n]*\n$/)
    assert.is(result.status, status)
  }
  refused(/--quantised needs --evaluate DATA/, 2, 'lenet5.onnx', '--quantised', 'signs-int8.onnx')
  refused(/--calibrate is missing/, 2, 'lenet5.onnx', '--evaluate', 'images')
  const both = ['signs.onnx', '--quantised', 'signs-int8.onnx', '--evaluate']
  refused(/--evaluate nowhere: no such folder/, 1, ...both, 'nowhere')
  const measure = (model: string, int8: string, data: string) => [model, '--quantised', int8, '--evaluate', data]
  refused(/others has 2 classes and the model 10/, 1, ...measure('lenet5.onnx', 'alone.cairn', 'others'))
  refused(
    /signs\.onnx: .*"a", "b" are no names of the model's classes/,
    1,
    ...measure('signs.onnx', 'signs-int8.onnx', 'others')
  )
  refused(
    /^cairn: --quantised lenet5\.onnx is a model of floats, weights f32; one of 8 bits is/,
    1,
    ...measure('signs.onnx', 'lenet5.onnx', 'images')
  )
  refused(
    /^cairn: alone\.cairn: output .* missing; of 2 in the model of floats: another/,
    1,
    ...measure('signs.onnx', 'alone.cairn', 'images')
  )
  for (const flags of [
    ['--keep', 'f6'],
    ['--int8-budget', '1'],
    ['--weight-bits', '7'],
    ['--report', 'r.html']
  ])
    refused(new RegExp(`^cairn: ${flags[0]} is of no use with --quantised`), 2, ...both, 'images', ...flags)
})

test('what is wrong with the data is told before anything is quantised', () => {
  const begun = (...args: string[]) => ['quantise', ...args, '-o', 'early.cairn', '--calibrate', '1', '--evaluate']
  for (const [pattern, args] of [
    [/--evaluate nowhere: no such folder/, [...begun('signs.onnx'), 'nowhere']],
    [/are no names of the model's classes/, [...begun('signs.onnx'), 'others']],
    [/--threads 99: a whole number from 1 to/, [...begun('signs.onnx'), 'images', '--threads', '99']],
    [/no output holds one score a class/, [...begun('boxes.onnx'), 'images']]
  ] as const) {
    const m = new ModelBuilder(new Random('boxes'))
    m.output(m.add('Conv', [m.input([1, 3, 8, 8]), m.weights([4, 3, 3, 3])]))
    writeFileSync(at('boxes.onnx'), m.encode())
    const { status, stderr } = cairn(...args)
    assert.match(stderr, pattern)
    assert.ok(status && !existsSync(at('early.cairn')))
  }
})

test('a .tar is told by the paths inside of it, and a damaged picture counts for nobody', async () => {
  writeImages('packed/signs', ['left', 'top'], 3)
  writeFileSync(at('packed/signs/left/0.png'), readFileSync(at('packed/signs/left/0.png')).subarray(0, 60))
  await pipeline(pack(at('packed')), createWriteStream(at('signs.tar')))
  const { status, stdout, stderr } = cairn(
    'quantise',
    'signs.onnx',
    '--quantised',
    'signs-int8.onnx',
    '--evaluate',
    'signs.tar'
  )
  assert.is(status, 0, stderr)
  assert.match(stdout, /left out of signs\.tar: 1 × damaged image .* \(signs.left.0\.png\)\n5 of 6 images/)
  assert.match(stdout, /\nsigns.(left|top).\d\.png +(left|top) /)
  assert.not.match(stdout, /cairn-data-/)
})

test('a patch brings the names of its classes and how its pictures are prepared', () => {
  const own = ['--mean', '0.9', '--std', '0.1', '--stretch']
  const usual = ['train', 'lenet5.onnx', '--data', 'images', '--epochs', '1', '-o', 'head.patch']
  const trained = cairn(...usual, ...own)
  assert.is(trained.status, 0, trained.stderr)
  const command = [
    'quantise',
    'lenet5.onnx',
    '--patch',
    'head.patch',
    '--calibrate',
    'images',
    '--evaluate',
    'images',
    '--json'
  ]
  const figures = (...more: string[]) => {
    const { status, stdout, stderr } = cairn(...command, ...more)
    assert.is(status, 0, stderr)
    const { evaluation, tensors, notes } = JSON.parse(stdout)
    return { matched: evaluation.matched, ranges: tensors.map(({ high }: { high: number }) => high), notes }
  }
  const found = figures('-o', 'a.cairn')
  assert.is(found.matched, 'name')
  assert.match(found.notes.join(), /measured on the pictures that ranges are of, which flatters int8/)
  assert.equal(found.ranges, figures('-o', 'b.cairn', ...own).ranges)
  assert.not.equal(found.ranges, figures('-o', 'c.cairn', '--mean', '0.1').ranges)
})

test.run()
