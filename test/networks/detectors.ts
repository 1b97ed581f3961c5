// Detectors as exporters end them, whose outputs have as many rows as a run finds: on every backend against
// onnxruntime-node, what refuses such values, and where such outputs may be left.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { build, CompileError, inspect } from '../../compiler/index.js'
import { fasterRcnn } from '../../models/detect/faster-rcnn.js'
import { checkHeader } from '../../runtime/file/check-header.js'
import { decode } from '../../runtime/file/format.js'
import { FormatError, InferenceSession, ParallelSession } from '../../runtime/index.js'
import { compileModel, presentBackends, Runner, tensorsOf } from '../support/cairn.js'
import { assertClose } from '../support/compare.js'
import { feedsFor, noise } from '../support/network/verify.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { type Named, Oracle, randomFeeds } from '../support/onnx/oracle.js'
import { steadyRun } from '../support/onnx/steady.js'
import { baseSeed, Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'
import { skip } from '../support/skip.js'

const test = suite(`detectors (seed ${baseSeed})`)

/** Scores are in 0 .. 1, so that nothing is above 2. */
function suppressed(m: ModelBuilder, boxes: string, scores: string, most: number, limit: number): string {
  return m.add('NonMaxSuppression', [boxes, scores, m.ints([most]), m.scalar(0.45), m.scalar(limit)])
}

const column = (m: ModelBuilder, rows: string, at: number) =>
  m.add('Gather', [rows, m.constant(index(at))], { axis: 1 })
const index = (at: number) => ({ dtype: 'int64', dims: [], data: [at] }) as const

/** Boxes and scores of one image, picked by the selected indices, as torchvision's exporter writes it. */
function torchvision(limit: number): ModelBuilder {
  const m = new ModelBuilder(new Random('torchvision'))
  const boxes = m.input([60, 4], 'float32', [0, 10])
  const scores = m.input([60], 'float32', [0, 1])
  const labels = m.input([60], 'int64', [0, 90])
  const rows = suppressed(
    m,
    m.add('Unsqueeze', [boxes, m.ints([0])]),
    m.add('Unsqueeze', [scores, m.ints([0, 1])]),
    60,
    limit
  )
  const third = m.add('Slice', [rows, m.ints([2]), m.ints([3]), m.ints([1])])
  const keep = m.add('Squeeze', [third, m.ints([1])])
  const [picked, best, names] = [boxes, scores, labels].map(all => m.add('Gather', [all, keep], { axis: 0 }))
  const [left, ...others] = m.addMany('Split', [picked, m.ints([1, 1, 2])], 3, { axis: 1 })
  const scaled = m.add('Concat', [m.add('Mul', [left, m.scalar(0.5)]), ...others], { axis: 1 })
  return m.output(
    scaled,
    best,
    names,
    m.add('Transpose', [picked], { perm: [1, 0] }),
    m.add('Unsqueeze', [best, m.ints([0])])
  )
}

/** A map of boxes, in columns, and scores of classes, ending in one row a detection, as YOLO's exporters write it. */
function yolo(batch: number | string, limit: number): ModelBuilder {
  const [count, classes] = [84, 5]
  const m = new ModelBuilder(new Random('yolo'))
  const map = m.input([batch, 4 + classes, count], 'float32', [0, 1])
  const [columns, scores] = m.addMany('Split', [map, m.ints([4, classes])], 2, { axis: 1 })
  const boxes = m.add('Transpose', [columns], { perm: [0, 2, 1] })
  const rows = m.add('NonMaxSuppression', [boxes, scores, m.ints([7]), m.scalar(0.3), m.scalar(limit)], {
    center_point_box: 1
  })
  const [image, category, box] = [0, 1, 2].map(at => column(m, rows, at))
  const flat = m.add('Add', [m.add('Mul', [image, m.constant(index(count))]), box])
  const picked = m.add('Gather', [m.add('Reshape', [boxes, m.ints([-1, 4])]), flat])
  const place = m.add('Add', [
    m.add('Mul', [
      m.add('Add', [m.add('Mul', [image, m.constant(index(classes))]), category]),
      m.constant(index(count))
    ]),
    box
  ])
  const score = m.add('Gather', [m.add('Reshape', [scores, m.ints([-1, 1])]), place])
  const asRows = [image, category].map(each => m.add('Unsqueeze', [m.add('Cast', [each], { to: 1 }), m.ints([1])]))
  const all = m.add('Concat', [asRows[0], picked, asRows[1], score], { axis: 1 })
  return m.output(all, rows, m.add('GatherND', [scores, rows]), m.add('Sigmoid', [map]))
}

const models: Readonly<
  Record<string, { readonly made: ModelBuilder; readonly sizes?: readonly Record<string, number>[] }>
> = {
  "torchvision's": { made: torchvision(0.3) },
  "torchvision's, nothing found": { made: torchvision(2) },
  "YOLO's": { made: yolo(2, 0.6) },
  "YOLO's, nothing found": { made: yolo(1, 2) },
  "YOLO's of a free batch": { made: yolo('N', 0.7), sizes: [{ N: 1 }, { N: 3 }, { N: 1 }] }
}

const backends = await presentBackends()
for (const [name, { made, sizes = [{}] }] of Object.entries(models))
  for (const backend of backends)
    test(`${name} (${backend})`, async () => {
      const model = made.encode()
      const oracle = await Oracle.load(model)
      const runner = await Runner.load(compileModel(model), backend)
      const random = new Random(name)
      for (const size of sizes) {
        const { feeds, expected } = await steadyRun(oracle, () => randomFeeds(made.inputs, random, size), random)
        const rows = expected[made.outputs[0]].dims[0]
        assert.ok(name.includes('nothing') ? rows === 0 : rows > 1, `${rows} rows`)
        assertClose(await runner.run(feeds), expected)
      }
      await runner.release()
      await oracle.release()
    })

for (const backend of backends)
  test(`Faster R-CNN (${backend})`, async () => {
    const size = 48
    const model = fasterRcnn({ size, proposals: 8, units: 64, detections: 20 })
    const file = compileModel(model)
    const [oracle, runner] = [await Oracle.load(model), await Runner.load(file, backend)]
    const random = new Random('faster-rcnn')
    const plain = await InferenceSession.create(file)
    for (const batch of [2, 1]) {
      const { feeds, expected } = await steadyRun(oracle, () => feedsFor(plain, { batch }, random, noise), random)
      assert.ok(expected.output.dims[0] > 3)
      assertClose(await runner.run(feeds), expected)
    }
    await Promise.all([plain, runner, oracle].map(each => each.release()))
  })

/** What is written behind the rows of a detector. */
const refused: Readonly<Record<string, (m: ModelBuilder, rows: string) => string>> = {
  'the last of them': (m, rows) => m.add('Slice', [rows, m.ints([-3]), m.ints([99]), m.ints([0])]),
  'one of them': (m, rows) => m.add('Gather', [rows, m.ints([1])], { axis: 0 }),
  'a column that has all rows': (m, rows) => m.add('Concat', [rows, m.input([8, 1], 'int64')], { axis: 1 }),
  'as many numbers as there may be': (m, rows) => m.add('Add', [rows, m.input([8, 3], 'int64')]),
  'rows of another detector': (m, rows) => m.add('Add', [rows, detector(m)]),
  'a Softmax': (m, rows) => m.add('Softmax', [m.add('Cast', [rows], { to: 1 })], { axis: 0 })
}

function detector(m: ModelBuilder): string {
  return suppressed(m, m.input([1, 20, 4]), m.input([1, 1, 20], 'float32', [0, 1]), 8, 0.1)
}

for (const [what, behind] of Object.entries(refused))
  test(`${what} cannot be asked for`, () => {
    const m = new ModelBuilder(new Random(what))
    const model = m.output(behind(m, detector(m))).encode()
    assert.throws(
      () => build(model),
      (error: Error) => error instanceof CompileError && /only the run knows how many there are/.test(error.message)
    )
  })

test('a damaged count is refused', () => {
  const { header } = decode(compileModel(torchvision(0.3).encode()))
  const [count] = header.counts
  const { cuts } = count
  assert.is(header.counts.length, 1)
  assert.is(cuts.length, header.outputs.length)
  for (const wrong of [
    { ...count, storage: header.storages.length },
    { ...count, storage: -1 },
    { ...count, cuts: [{ output: header.outputs.length, axis: 0 }] },
    { ...count, cuts: [{ ...cuts[0], axis: 2 }] },
    { ...count, cuts: [{ ...cuts[0], axis: -1 }] }
  ])
    assert.throws(
      () => checkHeader({ ...header, counts: [wrong] }),
      (error: Error) => error instanceof FormatError
    )
})

test('an inspection tells the most there can be', () => {
  const { outputs } = inspect(compileModel(torchvision(0.3).encode()))
  assert.equal(
    outputs.map(({ shape }) => shape),
    [['up to 60', 4], ['up to 60'], ['up to 60'], [4, 'up to 60'], [1, 'up to 60']]
  )
})

test('images whose rows only the run counts are not split among workers', async () => {
  const m = new ModelBuilder(new Random('split'))
  const rows = suppressed(m, m.input(['N', 20, 4]), m.input(['N', 1, 20]), 1, 0.1)
  const file = compileModel(m.output(rows).encode())
  await rejects(() => ParallelSession.create(file), /as many rows as a run finds cannot be split/)
})

test('such an output has no best classes', async () => {
  const made = torchvision(0.3)
  const session = await InferenceSession.create(compileModel(made.encode()))
  const feeds = tensorsOf(randomFeeds(made.inputs, new Random('top')))
  await rejects(() => session.top(feeds, { output: made.outputs[1] }), /is cut to what a run finds/)
  await session.release()
})

if (backends.includes('webgpu'))
  test('outputs that are cut at their end may stay on the GPU', async () => {
    const made = torchvision(0.3)
    const model = made.encode()
    const feeds: Named = randomFeeds(made.inputs, new Random('kept'))
    const oracle = await Oracle.load(model)
    const expected = await oracle.run(feeds)
    const session = await InferenceSession.create(compileModel(model), {
      executionProviders: ['webgpu'],
      preferredOutputLocation: 'gpu-buffer'
    })
    const [boxes, scores, , turned] = made.outputs
    const kept = await session.run(tensorsOf(feeds), [boxes, scores])
    for (const name of [boxes, scores]) {
      assert.is(kept[name].location, 'gpu-buffer')
      assert.equal(kept[name].dims, expected[name].dims)
      const data = (await kept[name].getData(true)) as Float32Array
      assertClose({ [name]: { ...expected[name], data } }, { [name]: expected[name] })
    }
    await rejects(() => session.run(tensorsOf(feeds), [turned]), /is cut along axis 1 .* cannot stay on the GPU/)
    await session.release()
    await oracle.release()
  })
else skip('outputs that are cut, on the GPU', 'there is none')

test.run()
