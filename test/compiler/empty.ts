// Tensors without elements: batches of none, parts that are nothing, on every device, as onnxruntime has them.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compile } from '../../compiler/index.js'
import { env, InferenceSession, type SessionOptions } from '../../runtime/index.js'
import { numbersOfTensors, tensorsOf } from '../support/cairn.js'
import { assertClose } from '../support/compare.js'
import { gpu, withoutGpu } from '../support/gpu.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { Oracle, randomFeeds } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { skip } from '../support/skip.js'

const test = suite(`empty (seed ${baseSeed})`)
const random = new Random('empty')
const missing = await withoutGpu()

type Sizes = Readonly<Record<string, number>>

/** Runs a model at each binding here, on `device`, and on onnxruntime. */
async function compareAt(model: ModelBuilder, bindings: readonly Sizes[], options: SessionOptions): Promise<void> {
  const bytes = model.encode()
  const [oracle, session] = [await Oracle.load(bytes), await InferenceSession.create(await compile(bytes), options)]
  for (const sizes of bindings) {
    const feeds = randomFeeds(model.inputs, random, sizes)
    const [expected, found] = [await oracle.run(feeds), numbersOfTensors(await session.run(tensorsOf(feeds)))]
    for (const name of model.outputs) {
      const what = `${name} at ${JSON.stringify(sizes)} on ${session.device}`
      assert.equal([...found[name].dims], [...expected[name].dims], what)
      for (const [i, value] of Array.from(expected[name].data).entries())
        if (!Number.isFinite(value)) assert.is(found[name].data[i], value, what)
      if (Array.from(expected[name].data).every(Number.isFinite))
        assertClose({ [name]: found[name] }, { [name]: expected[name] })
    }
  }
  await Promise.all([oracle.release(), session.release()])
}

function classifier(): ModelBuilder {
  const m = new ModelBuilder(random)
  const x = m.input(['N', 3, 'H', 'W'])
  const conv = m.add('Conv', [x, m.weights([8, 3, 3, 3]), m.weights([8])], { pads: [1, 1, 1, 1], strides: [2, 2] })
  const pool = m.add('MaxPool', [m.add('Relu', [conv])], { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [2, 2] })
  const flat = m.add('Flatten', [m.add('GlobalAveragePool', [pool])])
  const scores = m.add('Gemm', [flat, m.weights([10, 8]), m.weights([10])], { transB: 1 })
  return m.output(m.add('Softmax', [scores], { axis: 1 }))
}

function parts(): ModelBuilder {
  const m = new ModelBuilder(random)
  const [x, none] = [m.input(['N', 4]), m.input(['K', 4])]
  const joined = m.add('Concat', [x, none], { axis: 0 })
  const head = m.add('Slice', [joined, m.ints([0]), m.ints([2]), m.ints([0])])
  const rest = m.add('Slice', [joined, m.ints([3]), m.ints([2 ** 31]), m.ints([0])])
  return m.output(
    m.add('Relu', [joined]),
    m.add('Add', [head, m.weights([1, 4])]),
    m.add('Mul', [rest, m.scalar(2)]),
    m.add('MatMul', [rest, m.weights([4, 3])]),
    m.add('Transpose', [rest], { perm: [1, 0] })
  )
}

function reductions(): ModelBuilder {
  const m = new ModelBuilder(random)
  const x = m.input(['N', 3])
  return m.output(
    m.add('ReduceSum', [x, m.ints([0])]),
    m.add('ReduceProd', [x], { axes: [0] }),
    m.add('ReduceSumSquare', [x], { axes: [0] }),
    m.add('ReduceL1', [x], { axes: [0], keepdims: 0 })
  )
}

function still(): ModelBuilder {
  const m = new ModelBuilder(random)
  const x = m.input([2, 3, 4])
  const nothing = m.add('Slice', [x, m.ints([4]), m.ints([9]), m.ints([2])])
  const made = m.add('ConstantOfShape', [m.ints([2, 3, 0])])
  const joined = m.add('Concat', [made, x, nothing], { axis: 2 })
  const reshaped = m.add('Reshape', [nothing, m.ints([0, 6])], { allowzero: 1 })
  return m.output(
    m.add('Sigmoid', [joined]),
    m.add('Relu', [nothing]),
    reshaped,
    m.add('ReduceSum', [nothing, m.ints([2])])
  )
}

/** Views that begin behind the front of what may be nothing, one output of which is something. */
function views(): ModelBuilder {
  const m = new ModelBuilder(random)
  const x = m.input(['N', 6])
  const columns = (from: number, to: number, step = 1) =>
    m.add('Slice', [x, m.ints([from]), m.ints([to]), m.ints([1]), m.ints([step])])
  const [left, right] = m.addMany('Split', [x], 2, { axis: 1 })
  return m.output(
    columns(1, 3),
    m.add('ReduceSum', [columns(1, 3), m.ints([0])]),
    m.add('ReduceSum', [columns(-1, -99, -1), m.ints([0])]),
    m.add('Concat', [columns(2, 4), m.weights([1, 2])], { axis: 0 }),
    m.add('Pad', [columns(2, 5), m.ints([0, 0, 1, 0])]),
    m.add('Concat', [m.add('Add', [left, right]), m.weights([1, 3])], { axis: 0 })
  )
}

function batchOfNone(): ModelBuilder {
  const m = new ModelBuilder(random)
  const x = m.input([0, 3, 8, 8])
  return m.output(m.add('Conv', [x, m.weights([4, 3, 3, 3])], { pads: [1, 1, 1, 1] }))
}

const models: readonly [string, () => ModelBuilder, readonly Sizes[]][] = [
  [
    'a batch of none goes through a classifier',
    classifier,
    [
      { N: 0, H: 9, W: 8 },
      { N: 2, H: 9, W: 8 },
      { N: 0, H: 20, W: 31 }
    ]
  ],
  [
    'parts may be nothing',
    parts,
    [
      { N: 0, K: 0 },
      { N: 2, K: 0 },
      { N: 0, K: 3 },
      { N: 1, K: 1 },
      { N: 4, K: 2 }
    ]
  ],
  ['views of what may be nothing', views, [{ N: 0 }, { N: 2 }]],
  ['reductions of nothing are their neutral elements', reductions, [{ N: 0 }, { N: 3 }]],
  ['parts that are nothing at every size', still, [{}]]
]
for (const device of ['wasm', 'webgpu', 'reference'])
  for (const [name, make, bindings] of models) {
    const title = `${name} (${device})`
    if (device === 'webgpu' && missing !== undefined) skip(title, missing)
    else if (device !== 'webgpu' || make === parts || make === views || make === still)
      test(title, async () => {
        if (device === 'webgpu') env.webgpu.gpu = await gpu()
        await compareAt(make(), bindings, { executionProviders: [device] })
      })
  }

test('a batch of none that the model declares', async () => {
  const m = batchOfNone()
  const file = await compile(m.encode(), { shapes: { [m.inputs[0].name]: [0, 3, 8, 8] } })
  const session = await InferenceSession.create(file, { numThreads: 3 })
  const found = await session.run(tensorsOf(randomFeeds(m.inputs, random)))
  assert.equal([...found[m.outputs[0]].dims], [0, 4, 8, 8])
  await session.release()
})

test.run()
