// Crops and ensembles: parts of a picture as the papers cut them, and `cairn run` of several of them, and of several models,
// against plain means of single runs.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeNpy } from '../../cli/model/npy.js'
import { pngOf } from '../../cli/pictures/contact-sheet.js'
import { type Crops, partsOf } from '../../cli/pictures/crops.js'
import { type Picture, resize } from '../../runtime/tensor/index.js'
import { commandLine } from '../support/host/command-line.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { Oracle } from '../support/onnx/oracle.js'
import { drawPicture } from '../support/picture-files.js'
import { baseSeed, Random } from '../support/random.js'

const test = suite(`averaged (seed ${baseSeed})`)
const random = new Random('averaged')
const folder = mkdtempSync(join(tmpdir(), 'cairn-averaged-'))
const at = (name: string) => join(folder, name)
test.after(() => rmSync(folder, { recursive: true }))

const rows = ({ data, width, height }: Picture) =>
  Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)])
  )
type Rows = ReturnType<typeof rows>
const cut = (from: Rows, left: number, top: number, side: number): Rows =>
  from.slice(top, top + side).map(row => row.slice(left, left + side))
const mirrored = (from: Rows): Rows => from.map(row => [...row].reverse())

/** The ten parts of AlexNet of a picture that is wider than high: of the middle square, after its side was brought to `short`. */
function ten(picture: Picture, side: number, short: number): Rows[] {
  const wide = Math.trunc((short * picture.width) / picture.height)
  const resized = rows(resize(picture, wide, short))
  const square = cut(resized, Math.floor((wide - short) / 2), 0, short)
  const far = short - side
  const places = [
    [0, 0],
    [far, 0],
    [0, far],
    [far, far],
    [Math.floor(far / 2), Math.floor(far / 2)]
  ]
  const five = places.map(([left, top]) => cut(square, left, top, side))
  return [...five, ...five.map(mirrored)]
}

test('ten crops are corners and centre of the middle square, and their mirror images', () => {
  const picture = drawPicture(random, 90, 60)
  const parts = partsOf(picture, 10, { width: 28, height: 28 })
  assert.equal(parts.map(rows), ten(picture, 28, 32))
  assert.equal(partsOf(picture, 5, { width: 28, height: 28, resize: 40 }).map(rows), ten(picture, 28, 40).slice(0, 5))
})

test('144 crops: four scales, three squares, six parts, either way round', () => {
  const picture = drawPicture(random, 60, 90)
  const parts = partsOf(picture, 144, { width: 28, height: 28 })
  assert.is(parts.length, 144)
  assert.ok(parts.every(({ width, height }) => width === 28 && height === 28))
  for (let i = 0; i < 144; i += 2) assert.equal(rows(parts[i + 1]), mirrored(rows(parts[i])))
  // The second scale, the lowest of its squares, all of it.
  const [side, high] = [36, 54]
  const square = cut(rows(resize(picture, side, high)), 0, high - side, side)
  const whole = { data: Uint8Array.from(square.flat(2)), width: side, height: side }
  assert.equal(rows(parts[2 * (1 * 18 + 2 * 6 + 5)]), rows(resize(whole, 28, 28)))
  assert.throws(() => partsOf(picture, 144, { width: 28, height: 24 }), /square ones are allowed/)
})

/** A classifier of pictures, of random weights. */
function classifier(side: number, classes: number): Uint8Array {
  const m = new ModelBuilder(random)
  const x = m.input([1, 3, side, side], 'float32', [0, 1], 'input')
  const y = m.add('Relu', [m.add('Conv', [x, m.weights([5, 3, 5, 5], [-0.3, 0.3])], { strides: [3, 3] })])
  const flat = m.add('Flatten', [y])
  const inputs = 5 * Math.floor((side - 5) / 3 + 1) ** 2
  const scores = m.add('MatMul', [flat, m.weights([inputs, classes], [-0.5, 0.5])])
  return m.output(m.add('Softmax', [scores], { axis: 1 })).encode()
}

const cairn = commandLine(folder, 'run')

test('cairn run averages probabilities over crops and models', async () => {
  const picture = drawPicture(random, 90, 60)
  writeFileSync(at('picture.png'), pngOf(picture))
  const sides = { 'a.onnx': 28, 'b.onnx': 21 }
  const all: number[][] = []
  const means: Record<string, number[]> = {}
  const meanOf = (list: number[][]) => list[0].map((_, i) => list.reduce((sum, each) => sum + each[i], 0) / list.length)
  for (const [name, side] of Object.entries(sides)) {
    const model = classifier(side, 6)
    writeFileSync(at(name), model)
    const oracle = await Oracle.load(model)
    const own: number[][] = []
    for (const part of ten(picture, side, Math.round((side * 8) / 7))) {
      const data = Float32Array.from([0, 1, 2].flatMap(c => part.flat().map(pixel => pixel[c] / 255)))
      const results = await oracle.run({ input: { dtype: 'float32', dims: [1, 3, side, side], data } })
      own.push([...(Object.values(results)[0].data as Float32Array)])
    }
    await oracle.release()
    means[name] = meanOf(own)
    all.push(...own)
  }
  const plain = ['--image', 'picture.png', '--scale', String(1 / 255), '--device', 'wasm', '--json']
  const shown = (crops: Crops, ...models: string[]) => {
    const { stdout, status, stderr } = cairn(
      ...models,
      ...plain,
      '--crops',
      String(crops),
      '--out',
      'out',
      '--top',
      '6'
    )
    assert.is(status, 0, stderr)
    const { data, dims } = decodeNpy(new Uint8Array(readFileSync(at('out/probabilities.npy'))), 'probabilities.npy')
    assert.equal(dims, [1, 6])
    return { json: JSON.parse(stdout), data: [...(data as Float32Array)] }
  }
  const near = (actual: number[], wanted: number[]) =>
    actual.forEach((value, i) => assert.ok(Math.abs(value - wanted[i]) < 1e-5, `${value}, ${wanted[i]}`))
  near(shown(10, 'a.onnx').data, means['a.onnx'])
  const both = shown(10, 'a.onnx', 'b.onnx')
  near(both.data, meanOf(all))
  assert.equal(both.json.models, ['a.onnx', 'b.onnx'])
  const [best] = both.json.runs[0].top
  assert.is(best.index, both.data.indexOf(Math.max(...both.data)))
  const single = shown(1, 'a.onnx', 'a.onnx').data
  const plainly = JSON.parse(cairn('a.onnx', ...plain, '--top', '6').stdout).runs[0].top as {
    index: number
    score: number
  }[]
  for (const { index, score } of plainly) assert.ok(Math.abs(single[index] - score) < 1e-6)
})

test('one line for what cannot be averaged', () => {
  writeFileSync(at('other.onnx'), classifier(28, 4))
  for (const [given, code, line] of [
    [
      ['a.onnx', 'other.onnx', '--image', 'picture.png'],
      1,
      /^cairn: other\.onnx tells 4 classes, a\.onnx 6; as many are allowed\n$/
    ],
    [['a.onnx', '--crops', '10'], 2, /^cairn: --image is missing: /],
    [
      ['a.onnx', '--crops', '10', '--image', 'picture.png', '--stretch'],
      2,
      /^cairn: --stretch is of no use with --crops/
    ],
    [['a.onnx', '--crops', '3', '--image', 'picture.png'], 2, /^cairn: --crops 3: 1, 5, 10, 144 are allowed\n$/],
    [
      ['a.onnx', 'b.onnx', '--random', '1', '--image', 'picture.png'],
      2,
      /^cairn: --random is of no use with several models/
    ]
  ] as const) {
    const { status, stderr } = cairn(...given, '--device', 'wasm')
    assert.match(stderr, line)
    assert.is(status, code)
  }
})

test.run()
