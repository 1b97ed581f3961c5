// Files that lie, with right digests: what they claim is checked before any memory is taken or any kernel runs.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CompileError, compile } from '../../compiler/index.js'
import { FormatError, InferenceSession, Tensor } from '../../runtime/index.js'
import { encodeBundle } from '../../runtime/train/bundle.js'
import { decodePatch } from '../../train/index.js'
import { joined, split } from '../fuzz/cairn.js'
import { encodeModel, ModelBuilder, tensorProto } from '../support/onnx/model.js'
import { Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'

const test = suite('hostile files')

/** A convolution, a softmax that runs in its place, and a matrix product; H and W are free where `free` says so. */
async function victim(free = false): Promise<Uint8Array> {
  const m = new ModelBuilder(new Random('hostile', 1))
  const conv = m.add('Conv', [
    m.input([1, 3, ...(free ? ['H', 'W'] : [8, 8])]),
    m.weights([4, 3, 3, 3]),
    m.weights([4])
  ])
  const pooled = m.add('Flatten', [m.add('GlobalAveragePool', [m.add('Softmax', [conv], { axis: 1 })])])
  const bytes = m.output(m.add('Gemm', [pooled, m.weights([4, 5]), m.weights([5])])).encode()
  return compile(bytes, { kernels: ['conv', 'gemm'] })
}

type Lie = (file: ReturnType<typeof split>) => void

/** The victim's file with a lie in its header. */
async function lying(lie: Lie, free = false): Promise<Uint8Array> {
  const parts = split(await victim(free))
  lie(parts)
  return joined(parts.header, parts.body, false)
}

const callOf = ({ header }: ReturnType<typeof split>, name: string) =>
  header.calls.find(({ kernel }) => header.kernels[kernel].name === name)!

/** Fields by their order in compiler/ops: a convolution's block, and a matrix product's. */
const conv = {
  batch: 0,
  groups: 1,
  channels: 2,
  filters: 3,
  inH: 5,
  outH: 8,
  strideH: 14,
  padH: 17,
  yN: 26,
  yH: 28,
  act: 35,
  tiles: 38
}
const gemm = { rows: 0, inner: 1, columns: 2, xRow: 3, yRow: 4, tiles: 10 }

const setting =
  (kernel: string, field: number, value: number): Lie =>
  file =>
    (callOf(file, kernel).parameters[field] = value)

const ghost = { terms: [{ factor: 1, atoms: [{ op: 'free', name: 'ghost' } as const] }] }

const lies: Readonly<Record<string, Lie>> = {
  'more rows than the image has': setting('conv', conv.inH, 9),
  'more outputs than their buffer holds': setting('conv', conv.outH, 7),
  'more filters than the weights have': setting('conv', conv.filters, 12),
  'a step from row to row that leaves the buffer': setting('conv', conv.yH, 1 << 20),
  'a step that comes round to page 0 in 32 bits': setting('conv', conv.yH, 2 ** 30 - 100),
  'a batch that no address can count': setting('conv', conv.batch, 2 ** 32 - 1),
  'a batch beyond 32 bits, which a block would take for 1': setting('conv', conv.batch, 2 ** 32 + 1),
  'an empty batch of rows without end': file => {
    const { parameters } = callOf(file, 'conv')
    parameters[conv.batch] = 0
    parameters[conv.outH] = 2 ** 29
  },
  'no stride': setting('conv', conv.strideH, 0),
  'windows beyond 31 bits': setting('conv', conv.strideH, 2 ** 29),
  'padding beyond 31 bits': setting('conv', conv.padH, 2 ** 31 - 1),
  'no tiles, which no loop would ever get through': setting('conv', conv.tiles, 0),
  'more tiles than scratch memory holds': setting('conv', conv.tiles, 4096),
  'an activation that there is not': setting('conv', conv.act, 999),
  'half a batch': setting('conv', conv.batch, 0.5),
  'inner products longer than the row': setting('gemm', gemm.inner, 400),
  'columns that the weights do not have': setting('gemm', gemm.columns, 17),
  'tiles that are none in 32 bits': setting('gemm', gemm.tiles, 2 ** 30),
  'an input in front of its storage': file => (callOf(file, 'conv').arguments[0].offset = -16),
  'an output behind its storage': file => (callOf(file, 'conv').arguments[5].offset = 2 ** 28),
  'an output between two elements': file => (callOf(file, 'conv').arguments[5].offset = 0.5),
  'weights as the output': file => Object.assign(callOf(file, 'conv').arguments[5], { space: 'constant', index: 0 }),
  'a weight that is written because it is called read': file => (callOf(file, 'conv').arguments[5].access = 'read'),
  'scratch memory that is no scratch': file => (callOf(file, 'conv').arguments[6].access = 'read'),
  'scratch memory in a state, of which threads have no parts of their own': file => {
    const scratch = callOf(file, 'conv').arguments[6]
    const size = file.header.storages[scratch.index] as number
    file.header.derived.unshift(size)
    file.header.states.push({ name: 'scratch', shape: [size] })
    for (const { arguments: all } of [...file.header.setup, ...file.header.calls])
      for (const argument of all) if (argument.space === 'derived') argument.index++
    Object.assign(scratch, { space: 'derived', index: 0, offset: 0 })
  },
  'scratch memory of bytes, a quarter of what it seems': file =>
    void file.header.narrow.push(callOf(file, 'conv').arguments[6].index),
  'floats as bytes': file => void file.header.narrow.push(callOf(file, 'conv').arguments[5].index),
  'no scratch memory': file => (file.header.storages[callOf(file, 'conv').arguments[6].index] = 0),
  'a block of other fields': file => {
    const kernel = file.header.kernels[callOf(file, 'conv').kernel]
    kernel.fields = kernel.fields.replace('u', 'f')
  },
  'a buffer too few': file => void callOf(file, 'conv').arguments.pop(),
  'a buffer too many': ({ header }) => void header.calls[0].arguments.push(header.calls[0].arguments[0]),
  'a helper as a kernel': ({ header }) => (header.kernels[0].name = 'digest'),
  'an output larger than its storage': ({ header }) => (header.outputs[0].shape = [1, 500]),
  'an output in front of its storage': ({ header }) => (header.outputs[0].offset = -4),
  'a count behind its storage': ({ header }) =>
    void header.counts.push({ storage: 0, offset: header.storages[0], cuts: [{ output: 0, axis: 0 }] }),
  'a fault behind its storage': ({ header }) =>
    void header.faults.push({ storage: 0, offset: header.storages[0], of: 'Gather "g"', axis: 0, size: 5 }),
  'a fault between two elements': ({ header }) =>
    void header.faults.push({ storage: 0, offset: 0.5, of: 'Gather "g"', axis: 0, size: 5 }),
  'a count between two elements': ({ header }) =>
    void header.counts.push({ storage: 0, offset: 0.5, cuts: [{ output: 0, axis: 0 }] }),
  'a storage of less than nothing': ({ header }) => (header.storages[0] = -1),
  'a storage of a part of an element': ({ header }) => (header.storages[0] = 0.5),
  'no outputs': ({ header }) => (header.outputs = []),
  'rows of nothing without end': ({ header }) =>
    Object.assign(header.constants[0], { groups: 2 ** 32, rows: 0, columns: 1, panel: 8, bytes: 0 }),
  'a constraint on a dimension that there is not': ({ header }) =>
    void header.constraints.push({ a: ghost, b: 1, where: 'here' }),
  'work that depends on a dimension that there is not': ({ header }) => (header.macs = ghost)
}

for (const [name, lie] of Object.entries(lies))
  for (const device of ['wasm', 'reference'])
    test(`${name} (${device})`, async () => {
      const file = await lying(lie)
      await rejects(() => InferenceSession.create(file, { executionProviders: [device] }), /./, Error)
      try {
        await InferenceSession.create(file, { executionProviders: [device] })
      } catch (error) {
        assert.match((error as Error).name, /^(FormatError|CairnError)$/)
      }
    })

const image = (size: number) => ({
  x_0: new Tensor('float32', new Float32Array(3 * size * size).fill(1), [1, 3, size, size])
})

test('sizes that only a run knows are checked then, and the session goes on with others', async () => {
  const file = await lying(parts => {
    // As many rows as there are, but never more than the 36 elements of an image of 8x8 would take a channel.
    const { storages } = parts.header
    const output = callOf(parts, 'conv').arguments[5].index
    storages[output] = 4 * 36
  }, true)
  const session = await InferenceSession.create(file)
  const before = (await session.run(image(8))).gemm_5 ?? Object.values(await session.run(image(8)))[0]
  await rejects(() => session.run(image(9)), /conv of ".*" touches/, FormatError)
  const after = Object.values(await session.run(image(8)))[0]
  assert.equal(Array.from(after.data as Float32Array), Array.from(before.data as Float32Array))
  await session.release()
})

test('a session is none the poorer for the hostile ones beside it', async () => {
  const session = await InferenceSession.create(await victim())
  const [before] = Object.values(await session.run(image(8)))
  for (const lie of Object.values(lies))
    await InferenceSession.create(await lying(lie)).then(
      () => assert.unreachable(),
      () => undefined
    )
  const [after] = Object.values(await session.run(image(8)))
  assert.equal(after.data, before.data)
  await session.release()
})

test('memory is not taken beyond maxMemory: an arena', async () => {
  const file = await lying(({ header }) => void header.storages.push(2 ** 29))
  const greedy = await lying(({ header }) => (header.storages[header.inputs[0].storage] = 2 ** 29))
  await (await InferenceSession.create(file)).release()
  for (const device of ['wasm', 'reference'])
    await rejects(
      async () =>
        (await InferenceSession.create(greedy, { executionProviders: [device], maxMemory: 2 ** 24 })).run(image(8)),
      /needs \d+ bytes.* allow/
    )
})

test('memory is not taken beyond maxMemory: what is derived, and padded panels', async () => {
  const derived = await lying(({ header }) => void header.derived.push(2 ** 29))
  const panels = await lying(({ header }) => (header.constants[0].panel = 2 ** 28))
  for (const file of [derived, panels])
    for (const device of ['wasm', 'reference'])
      await rejects(
        () => InferenceSession.create(file, { executionProviders: [device], maxMemory: 2 ** 24 }),
        /needs \d+ bytes.* allow/
      )
})

test('a run of more steps than maxWork is refused', async () => {
  await rejects(
    async () => InferenceSession.create(await victim(), { maxWork: 100 }),
    /a run would take \d+ steps; maxWork allows 100/
  )
})

/** A model that asks for much in few bytes. */
function greedyModel(op: string, operands: (m: ModelBuilder) => string[], times = 1): Uint8Array {
  const m = new ModelBuilder(new Random('greedy', 1))
  const x = m.input([1, 1, 2, 2])
  const made = Array.from({ length: times }, () => m.add(op, operands(m)))
  return m.output(m.add('Relu', [x]), ...made).encode()
}

const greedy: Readonly<Record<string, () => Uint8Array>> = {
  'ConstantOfShape of a terabyte': () => greedyModel('ConstantOfShape', m => [m.ints([2 ** 20, 2 ** 18])]),
  'many ConstantOfShape': () => greedyModel('ConstantOfShape', m => [m.ints([2 ** 23])], 20),
  'a Range of a terabyte': () =>
    greedyModel('Range', m => [0, 2 ** 40, 1].map(value => m.constant({ dtype: 'int64', dims: [], data: [value] }))),
  'Expand to a terabyte': () => greedyModel('Expand', m => [m.weights([1]), m.ints([2 ** 20, 2 ** 18])]),
  'Tile to a terabyte': () => greedyModel('Tile', m => [m.weights([4]), m.ints([2 ** 38])]),
  'a size beyond 2^53': () => greedyModel('Expand', m => [m.weights([1]), m.ints([2 ** 40, 2 ** 40])]),
  'Pad by a terabyte': () => greedyModel('Pad', m => [m.weights([2, 2]), m.ints([2 ** 20, 2 ** 18, 0, 0])])
}

for (const [name, model] of Object.entries(greedy))
  test(`memory is not taken beyond maxMemory: ${name}`, async () => {
    const before = process.resourceUsage().maxRSS
    await rejects(() => compile(model(), { maxMemory: 2 ** 26 }), /maxMemory|are allowed|2\^53/, CompileError)
    const grown = (process.resourceUsage().maxRSS - before) * 1024
    assert.ok(grown < 2 ** 29, `${grown} bytes more were held for a moment`)
  })

test('a product of constants that takes minutes is left to run', async () => {
  const m = new ModelBuilder(new Random('slow', 1))
  const side = m.ints([2048, 2048])
  const [a, b] = [0, 1].map(() => m.add('ConstantOfShape', [side]))
  const model = m.output(m.add('MatMul', [a, b]), m.add('Relu', [m.input([1])])).encode()
  await rejects(async () => {
    const file = await compile(model)
    await InferenceSession.create(file, { maxWork: 2 ** 20 })
  }, /maxWork/)
})

test('sizes of sizes do not grow without end', async () => {
  const m = new ModelBuilder(new Random('sizes', 1))
  let size = m.add('Shape', [m.input(['N', 'M'])])
  for (let i = 0; i < 60; i++) size = m.add(i % 2 ? 'Add' : 'Mul', [size, size])
  await rejects(() => compile(m.output(m.add('ConstantOfShape', [size])).encode()), /size/, CompileError)
})

test('a free dimension may have any name', async () => {
  for (const name of ['toString', 'constructor', '__proto__']) {
    const m = new ModelBuilder(new Random('names', 1))
    const file = await compile(m.output(m.add('Relu', [m.input([name])])).encode())
    const session = await InferenceSession.create(file)
    const [{ data }] = Object.values(await session.run({ x_0: new Tensor('float32', Float32Array.of(-1, 2), [2]) }))
    assert.equal(Array.from(data as Float32Array), [0, 2], name)
    await session.release()
  }
})

test('a patch whose note says something else is refused', () => {
  const tensors = [
    { name: '#head.weight', shape: [2, 4], data: new Float32Array(8) },
    { name: '#head.bias', shape: [2], data: new Float32Array(2) }
  ]
  const cut = { features: 'x', boundary: 'x', pooled: true, blocks: 1, trained: 0 }
  const note = { backbone: 1, cut, classes: ['a', 'b'], uses: {} }
  const patch = (text: string, list = tensors) => encodeBundle({ kind: 'patch', note: text, tensors: list })
  assert.is(decodePatch(patch(JSON.stringify(note))).tensors.length, 2)
  const wrong = ['{', 'null', '7', JSON.stringify({ ...note, cut: 3 }), JSON.stringify({ ...note, classes: [1] })]
  for (const text of wrong) assert.throws(() => decodePatch(patch(text)), /not a patch/)
  assert.throws(() => decodePatch(patch(JSON.stringify(note), [])), /head.weight/)
})

test('a tensor whose dims are more than its bytes', async () => {
  const proto = new ModelBuilder(new Random('dims', 1)).proto()
  proto.graph!.initializer = [
    { ...tensorProto('c', { dtype: 'float32', dims: [4], data: [1, 2, 3, 4] }), dims: [2 ** 40] }
  ]
  proto.graph!.output = [{ name: 'c' }]
  await rejects(() => compile(encodeModel(proto)), /"c" holds/, CompileError)
})

test.run()
