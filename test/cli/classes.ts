// What `cairn run` shows as classes: distributions and logits of them, and nothing that only is a row of numbers.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { classesOf } from '../../cli/model/classes.js'
import { pngOf } from '../../cli/pictures/contact-sheet.js'
import { zoo } from '../../models/index.js'
import type { Program } from '../../runtime/file/program.js'
import { Tensor } from '../../runtime/index.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { drawPicture } from '../support/picture-files.js'
import { baseSeed, Random } from '../support/random.js'
import { root } from '../support/root.js'

const test = suite(`classes (seed ${baseSeed})`)
const random = new Random('classes')

type Row = readonly [name: string, values: readonly number[], dims?: readonly number[], counted?: boolean]

/** What is made of outputs of those numbers, of a model for pictures of `side`. */
function shown(
  rows: readonly Row[],
  { labels, said = false, side = 224 }: { labels?: string[]; said?: boolean; side?: number } = {}
) {
  const port = (name: string, shape: readonly number[]) => ({ name, dtype: 'float32', shape, storage: 0, offset: 0 })
  const dimsOf = ([, values, dims]: Row) => dims ?? [1, values.length]
  const ports: Pick<Program, 'inputs' | 'outputs' | 'counts'> = {
    inputs: [port('x', [1, 3, side, side])],
    outputs: rows.map(row => port(row[0], dimsOf(row))),
    counts: rows.flatMap((row, output) => (row[3] ? [{ storage: 0, offset: 0, cuts: [{ output, axis: 0 }] }] : []))
  }
  const results = Object.fromEntries(
    rows.map(row => [row[0], new Tensor('float32', Float32Array.from(row[1]), dimsOf(row))])
  )
  return classesOf(results, ports, { count: 3, labels, said })
}

const logits = (count: number) => random.values(count, [-9, 9])
function probabilities(count: number): number[] {
  const powers = logits(count).map(Math.exp)
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map(power => power / sum)
}
const unit = (count: number) => {
  const values = logits(count)
  return values.map(value => value / Math.hypot(...values))
}

test('distributions are shown, whatever they are called, and logits where something says what they are', () => {
  const shares = probabilities(7)
  const found = shown([
    ['loc', random.values(40, [0, 500]), [1, 10, 4]],
    ['y', shares]
  ])
  assert.is(found.output, 'y')
  assert.is(found.softmax, false)
  assert.is(found.top![0].index, shares.indexOf(Math.max(...shares)))
  assert.is(shown([['y', shares.map(Math.log)]]).output, 'y')
  assert.is(shown([['y', logits(1000)]]).softmax, true)
  assert.is(shown([['y', logits(1001), [1, 1001, 1, 1]]]).output, 'y')
  assert.is(shown([['y', logits(10)]], { side: 32 }).output, 'y')
  assert.is(shown([['logits', logits(5)]]).output, 'logits')
  assert.is(shown([['y', logits(5)]], { said: true }).output, 'y')
  const labels = ['background', 'a', 'b', 'c']
  // One below 0: between 0 and 1 they might stand for themselves.
  assert.ok(shown([['y', [-3, ...logits(2)]]], { labels }).top!.every(({ label }) => label && label !== 'background'))
  assert.throws(() => shown([['y', logits(5)]], { labels }), /--labels has 4 lines; the model gives 5 scores/)
})

test('boxes, embeddings, landmarks, ages and scores that stand for themselves are not', () => {
  const box = [120.5, 33.25, 310, 280, 0.93, 2]
  const others: readonly Row[] = [
    ['y', box],
    ['y', [0.1, 0.2, 0.7, 0.9, 0.93, 2], [1, 6], true],
    ['y', logits(6), [1, 6], true],
    ['y', unit(128)],
    ['y', logits(128)],
    ['y', random.values(10, [0, 1])],
    ['landmarks', random.values(136, [-1, 1])],
    ['age', [31.5]],
    ['y', logits(84 * 20), [1, 84, 20]],
    ['y', [...logits(6), Number.NaN]]
  ]
  for (const row of others) assert.equal(shown([row]), {}, `${row[0]} of ${row[1].length}`)
  for (const said of [true, false]) {
    assert.equal(shown([['y', box]], { said }), {})
    // The first alone tells that they are no logarithms of shares.
    assert.equal(shown([['boxes', [random.uniform(0.5, 9), ...logits(3)]]], { said }), {})
    assert.equal(shown([['y', unit(1000)]], { said }), {})
  }
})

test('run shows the one box that is left behind NMS as numbers, and the digits of a classifier as classes', () => {
  const model = new ModelBuilder(random)
  const x = model.input([1, 3, 32, 32], 'float32', [0, 1], 'x')
  const pooled = model.add('GlobalAveragePool', [model.add('Conv', [x, model.weights([4, 3, 3, 3])])])
  const scores = model.add('Reshape', [model.add('Sigmoid', [pooled]), model.ints([1, 1, 4])])
  const corners = Array.from({ length: 4 }, (_, i) => [i, i, i + 20, i + 20]).flat()
  const boxes = model.constant({ dtype: 'float32', dims: [1, 4, 4], data: corners })
  const [most, overlap] = [model.ints([1]), model.scalar(0.3)]
  const chosen = model.add('NonMaxSuppression', [boxes, scores, most, overlap])
  const index = model.add('Squeeze', [model.add('Gather', [chosen, model.ints([2])], { axis: 1 }), model.ints([1])])
  const flat = model.constant({ dtype: 'float32', dims: [4, 4], data: corners })
  model.output(model.add('Gather', [flat, index], { axis: 0 }))
  const folder = mkdtempSync(join(tmpdir(), 'cairn-classes-'))
  const cairn = (name: string, ...more: string[]) => {
    const args = ['run', name, '--image', 'p.png', '--device', 'wasm', ...more]
    const cli = join(root, 'dist', 'cli', 'index.js')
    const { stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { cwd: folder, encoding: 'utf8' })
    assert.is(stderr, '')
    return stdout
  }
  try {
    writeFileSync(join(folder, 'nms.onnx'), model.encode())
    writeFileSync(join(folder, 'digits.onnx'), zoo.lenet5.build())
    writeFileSync(join(folder, 'p.png'), pngOf(drawPicture(random, 40, 40)))
    for (const more of [[], ['--top', '3']]) {
      const out = cairn('nms.onnx', ...more)
      assert.not.match(out, / %|class \d/)
      assert.match(out, /":\n {2}[0-3] {2}[0-3] {2}2\d {2}2\d\n/)
    }
    assert.match(cairn('digits.onnx'), /\d+\.\d\d % {2}class \d\n/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.run()
