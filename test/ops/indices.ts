// Indices out of range: an error of the run, or of compiling where they are constant, that names the node; on every backend,
// with threads, and without harm to what runs afterwards.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { build, CompileError } from '../../compiler/index.js'
import { InferenceSession, Tensor } from '../../runtime/index.js'
import { compileModel, numbersOfTensors, presentBackends, tensorsOf } from '../support/cairn.js'
import { assertClose } from '../support/compare.js'
import { type Attributes, type Dim, ModelBuilder } from '../support/onnx/model.js'
import { type Named, Oracle, randomFeeds } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'

const random = new Random('indices')

/** An operator of a table, indices that are the second input, and updates where it takes some. */
interface Indexed {
  readonly op: string
  readonly dims: readonly Dim[]
  readonly indices: readonly Dim[]
  readonly updates?: readonly Dim[]
  readonly attributes?: Attributes
  /** Sizes of the free dimensions. */
  readonly bindings?: Readonly<Record<string, number>>
  /** Axis and size of the last index. */
  readonly axis: number
  readonly size: number
}

const cases: readonly Indexed[] = [
  { op: 'Gather', dims: [5, 6], indices: [3, 7], axis: 0, size: 5 },
  { op: 'Gather', dims: [2, 9, 4], indices: [37], attributes: { axis: 1 }, axis: 1, size: 9 },
  { op: 'Gather', dims: ['H', 4], indices: ['M'], bindings: { H: 7, M: 6 }, axis: 0, size: 7 },
  { op: 'GatherElements', dims: [4, 5], indices: [3, 5], axis: 0, size: 4 },
  { op: 'GatherElements', dims: [4, 5], indices: [4, 9], attributes: { axis: -1 }, axis: 1, size: 5 },
  { op: 'GatherND', dims: [4, 3, 5], indices: [6, 2], axis: 1, size: 3 },
  { op: 'GatherND', dims: [2, 6, 5], indices: [2, 4, 1], attributes: { batch_dims: 1 }, axis: 1, size: 6 },
  { op: 'ScatterElements', dims: [4, 5], indices: [4, 3], updates: [4, 3], attributes: { axis: 1 }, axis: 1, size: 5 },
  { op: 'ScatterND', dims: [6, 3], indices: [4, 1], updates: [4, 3], axis: 0, size: 6 },
  {
    op: 'ScatterND',
    dims: [3, 4, 2],
    indices: [5, 2],
    updates: [5, 2],
    attributes: { reduction: 'add' },
    axis: 1,
    size: 4
  }
]

function modelOf({ op, dims, indices, updates, attributes }: Indexed): ModelBuilder {
  const m = new ModelBuilder(random, 18)
  const operands = [m.input(dims), m.input(indices, 'int64', [0, 0]), ...(updates ? [m.input(updates)] : [])]
  return m.output(m.add(op, operands, attributes))
}

const sizeOf = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1)

/** Feeds whose last index is `last` and whose others are in range; a scatter names no place twice. */
function feedsOf(model: ModelBuilder, { axis, size, bindings, updates }: Indexed, last: number): Named {
  const feeds = randomFeeds(model.inputs, random, bindings)
  const { name } = model.inputs[1]
  const { dims } = feeds[name]
  const data = Float64Array.from({ length: sizeOf(dims) }, () => random.int(0, Math.min(size, 2) - 1))
  if (updates && axis > 0 && dims.length === 2 && dims[1] === 3) data.forEach((_, i) => (data[i] = i % 3))
  else if (updates) data.forEach((_, i) => (data[i] = dims[1] === 1 ? i : i % 2 ? i % 3 : Math.floor(i / 2) % 3))
  data[data.length - 1] = last
  return { ...feeds, [name]: { dtype: 'int64', dims, data } }
}

const messageOf = (op: string, { nodes: [{ name }] }: ModelBuilder, index: number, axis: number, size: number) =>
  `${op} "${name}": index ${index} is out of range for axis ${axis} of ${size}; -${size} to ${size - 1} are allowed`

const exactly = (message: string) => new RegExp(`^${message.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`)

const backends = await presentBackends()
const ways = backends.flatMap(backend =>
  (backend === 'wasm' ? [1, 3] : [1]).map(numThreads => ({ backend, numThreads, executionProviders: [backend] }))
)

const test = suite(`indices (seed ${baseSeed})`)
for (const [i, item] of cases.entries()) {
  const { op, axis, size } = item
  for (const { backend, ...options } of ways)
    test(`${op} ${i} on ${backend}, ${options.numThreads} threads`, async () => {
      const model = modelOf(item)
      const bytes = model.encode()
      const session = await InferenceSession.create(compileModel(bytes), options)
      const oracle = await Oracle.load(bytes)
      const check = async (last: number) => {
        const feeds = feedsOf(model, item, last)
        assertClose(numbersOfTensors(await session.run(tensorsOf(feeds))), await oracle.run(feeds))
      }
      await check(size - 1)
      for (const last of [size, -size - 1, size + 1000]) {
        const message = messageOf(op, model, last, axis, size)
        await rejects(() => session.run(tensorsOf(feedsOf(model, item, last))), exactly(message))
      }
      await check(item.updates ? -1 : -size)
      await session.release()
      await oracle.release()
    })
}

for (const { op, dims, indices, updates, attributes, axis, size } of cases.filter(({ bindings }) => !bindings))
  for (const last of [size, -size - 1])
    test(`a constant index of ${last} is refused when compiling ${op}`, () => {
      const m = new ModelBuilder(random, 18)
      const count = sizeOf(indices as number[])
      const data = Float64Array.from({ length: count }, (_, i) => (i === count - 1 ? last : 0))
      const table = m.input(dims)
      const constant = m.constant({ dtype: 'int64', dims: indices as number[], data })
      m.output(m.add(op, [table, constant, ...(updates ? [m.input(updates)] : [])], attributes))
      const message = messageOf(op, m, last, axis, size)
      return rejects(async () => build(m.encode()), exactly(message), CompileError)
    })

for (const { backend, ...options } of ways) {
  test(`a constant index of a free axis is looked at in the run (${backend}, ${options.numThreads} threads)`, async () => {
    const m = new ModelBuilder(random, 18)
    m.output(m.add('Gather', [m.input(['H', 3]), m.ints([0, 4])]))
    const session = await InferenceSession.create(compileModel(m.encode()), options)
    const run = (H: number) => session.run(tensorsOf(randomFeeds(m.inputs, random, { H })))
    assert.equal(Object.values(await run(5))[0].dims, [2, 3])
    await rejects(() => run(4), /index 4 is out of range for axis 0 of 4; -4 to 3 are allowed$/)
    assert.equal(Object.values(await run(6))[0].dims, [2, 3])
    await session.release()
  })

  test(`what is behind a count names nothing (${backend}, ${options.numThreads} threads)`, async () => {
    const m = new ModelBuilder(random, 18)
    const flags = m.input([6], 'int64', [0, 1])
    const table = m.input([5])
    const turned = m.add('Sub', [m.constant({ dtype: 'int64', dims: [], data: [5] }), m.add('NonZero', [flags])])
    m.output(m.add('Gather', [table, turned]))
    const bytes = m.encode()
    const session = await InferenceSession.create(compileModel(bytes), options)
    const oracle = await Oracle.load(bytes)
    const feedsWith = (...data: number[]): Named => ({
      ...randomFeeds(m.inputs, random),
      [flags]: { dtype: 'int64', dims: [6], data }
    })
    const good = feedsWith(0, 1, 0, 1, 1, 0)
    assertClose(numbersOfTensors(await session.run(tensorsOf(good))), await oracle.run(good))
    const bad = tensorsOf(feedsWith(1, 1, 0, 0, 0, 0))
    await rejects(() => session.run(bad), /index 5 is out of range for axis 0 of 5/)
    await session.release()
    await oracle.release()
  })

  test(`tables without rows, lengths beyond the end and conditions that are too long (${backend}, ${options.numThreads} threads)`, async () => {
    const open = async (m: ModelBuilder) => {
      const bytes = m.encode()
      return { session: await InferenceSession.create(compileModel(bytes), options), oracle: await Oracle.load(bytes) }
    }
    const long = (...data: number[]) => ({ dtype: 'int64' as const, dims: [data.length], data })
    const gather = new ModelBuilder(random, 18)
    const [table, indices] = [gather.input(['N', 3]), gather.input(['K'], 'int64', [0, 0])]
    gather.output(gather.add('ReduceSum', [gather.add('Gather', [table, indices]), gather.ints([0])]))
    const first = await open(gather)
    const none = { ...randomFeeds(gather.inputs, random, { N: 0, K: 0 }), [indices]: long() }
    assertClose(numbersOfTensors(await first.session.run(tensorsOf(none))), await first.oracle.run(none))
    const asked = tensorsOf({ ...none, [indices]: long(0) })
    await rejects(() => first.session.run(asked), /index 0 is out of range for axis 0 of 0; none is allowed/)

    const reverse = new ModelBuilder(random, 18)
    const [x, lengths] = [reverse.input([4, 3]), reverse.input([3], 'int64', [0, 4])]
    reverse.output(reverse.add('ReverseSequence', [x, lengths]))
    const second = await open(reverse)
    const fits = { ...randomFeeds(reverse.inputs, random), [lengths]: long(4, 1, 3) }
    assertClose(numbersOfTensors(await second.session.run(tensorsOf(fits))), await second.oracle.run(fits))
    const beyond = tensorsOf({ ...fits, [lengths]: long(1, 5, 2) })
    await rejects(() => second.session.run(beyond), /ReverseSequence "\w+": index 5 is out of range/)

    const compress = new ModelBuilder(random, 18)
    const [values, condition] = [compress.input(['N', 2]), compress.input(['K'], 'bool', [0, 1])]
    compress.output(compress.add('Compress', [values, condition], { axis: 0 }))
    const third = await open(compress)
    for (const data of [
      [1, 0, 1, 1, 1],
      [0, 0, 0, 1],
      [0, 1]
    ]) {
      const given = { dtype: 'bool' as const, dims: [data.length], data }
      const feeds = { ...randomFeeds(compress.inputs, random, { N: 3, K: data.length }), [condition]: given }
      const [found, expected] = [
        numbersOfTensors(await third.session.run(tensorsOf(feeds))),
        await third.oracle.run(feeds)
      ]
      assert.equal([...found[compress.outputs[0]].dims], [...expected[compress.outputs[0]].dims])
      assertClose(found, expected)
    }
    for (const { session, oracle } of [first, second, third]) await Promise.all([session.release(), oracle.release()])
  })

  test(`top refuses as run does (${backend}, ${options.numThreads} threads)`, async () => {
    const m = new ModelBuilder(random, 18)
    const [table, indices] = [m.input([9, 4]), m.input([2], 'int64', [0, 8])]
    m.output(m.add('Gather', [table, indices]))
    const session = await InferenceSession.create(compileModel(m.encode()), options)
    const feeds = tensorsOf(randomFeeds(m.inputs, random))
    assert.is((await session.top(feeds)).length, 2)
    const bad = { ...feeds, [indices]: new Tensor('int64', [3n, 9n], [2]) }
    await rejects(() => session.top(bad), /index 9 is out of range for axis 0 of 9/)
    await session.release()
  })
}
test.run()
