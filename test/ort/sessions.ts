// Sessions made through the stand-in: what they compute, and what they are made from. onnxruntime-node answers first, because
// behind the first import of the stand-in its sessions are the stand-in's too.
import { mkdtempSync, promises, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type * as Ort from 'onnxruntime-common'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compile } from '../../compiler/index.js'
import { zoo } from '../../models/index.js'
import { type Feeds, Tensor } from '../../runtime/index.js'
import { Variants } from '../../runtime/late/index.js'
import { assertClose } from '../support/compare.js'
import { decodeModel, encodeModel, ModelBuilder, typedArray } from '../support/onnx/model.js'
import { type Named, numbersOf, Oracle, randomFeeds } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'

const test = suite(`sessions of the stand-in (seed ${baseSeed})`)
const random = new Random('ort sessions')
const folder = mkdtempSync(join(tmpdir(), 'cairn-ort-'))
test.after(() => rmSync(folder, { recursive: true }))

interface Case {
  readonly model: Uint8Array
  readonly feeds: Named
  readonly expected: Named
}

async function caseOf(model: Uint8Array, feeds: Named): Promise<Case> {
  const oracle = await Oracle.load(model)
  const expected = await oracle.run(feeds)
  await oracle.release()
  return { model, feeds, expected }
}

function small(dims: readonly (number | string)[] = ['N', 3, 9, 8]): [Uint8Array, Named] {
  const m = new ModelBuilder(random)
  const x = m.input(dims)
  m.output(m.add('Relu', [m.add('Conv', [x, m.weights([4, 3, 3, 3])])]))
  return [m.encode(), randomFeeds(m.inputs, random, { N: 2 })]
}

/** The small one with no shape for its input. */
function shapeless(): [Uint8Array, Named] {
  const [model, feeds] = small()
  const proto = decodeModel(model)
  proto.graph!.input![0].type!.tensorType!.shape = null
  return [encodeModel(proto), feeds]
}

/** Of all of x, which has no shape, the best: as many as an input says. */
function best(): [Uint8Array, Named] {
  const m = new ModelBuilder(random)
  const x = m.input(['N', 'C'])
  const k = m.input([1], 'int64')
  m.output(...m.addMany('TopK', [x, k], 2, { axis: -1, largest: 1, sorted: 1 }))
  const proto = decodeModel(m.encode())
  proto.graph!.input![0].type!.tensorType!.shape = null
  const feeds = randomFeeds(m.inputs, random, { N: 2, C: 9 })
  return [encodeModel(proto), { ...feeds, [k]: { dtype: 'int64', dims: [1], data: [3] } }]
}

const networks = ['lenet5', 'squeezenet1.1', 'mobilenet-v3-small', 'shufflenet-v2']
const ofZoo = (name: string): [Uint8Array, Named] => {
  const { input, build } = zoo[name]
  const dims = input.map(size => (size === 'N' ? 1 : Number(size)))
  const model = build()
  const [{ name: x }] = decodeModel(model).graph!.input!
  return [model, randomFeeds([{ name: x!, dtype: 'float32', dims, range: [-2, 2] }], random)]
}

/** One model, of which each number of best ones makes a session. */
const open = best()

const cases = {
  small: await caseOf(...small()),
  shapeless: await caseOf(...shapeless()),
  best: await caseOf(...best()),
  sizes: await Promise.all(
    [1, 2, 3, 4, 5, 6].map(async k => {
      const [, feeds] = open
      const name = Object.keys(feeds).find(each => feeds[each].dtype === 'int64')!
      return caseOf(open[0], { ...feeds, [name]: { dtype: 'int64', dims: [1], data: [k] } })
    })
  ),
  networks: await Promise.all(networks.map(async name => [name, await caseOf(...ofZoo(name))] as const))
}

const imported = (await import('cairnjs/ort')) as typeof Ort
const required = createRequire(import.meta.url)('cairnjs/ort') as typeof Ort
const both = [
  ['import', imported],
  ['require', required]
] as const
for (const [, { env }] of both) env.cairn = { cache: folder }

const tensors = ({ Tensor }: typeof Ort, feeds: Named) =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, { dtype, dims, data }]) => [
      name,
      new Tensor(dtype as 'float32', typedArray(dtype, data) as Float32Array, [...dims])
    ])
  )

const numbers = (results: Ort.InferenceSession.ReturnType): Named =>
  Object.fromEntries(
    Object.entries(results).map(([name, { type, dims, data }]) => [
      name,
      { dtype: type as 'float32', dims, data: numbersOf(type as 'float32', data as never) }
    ])
  )

async function check(ort: typeof Ort, { feeds, expected }: Case, session: Ort.InferenceSession): Promise<void> {
  const results = await session.run(tensors(ort, feeds))
  for (const result of Object.values(results)) assert.instance(result, ort.Tensor)
  assertClose(numbers(results), expected, 1e-4)
}

for (const [how, ort] of both) {
  for (const [name, each] of cases.networks)
    test(`${name}, by ${how}`, async () => {
      const session = await ort.InferenceSession.create(each.model)
      await check(ort, each, session)
      await session.release()
    })

  test(`inputs without a shape, and outputs that an input shapes, by ${how}`, async () => {
    for (const each of [cases.shapeless, cases.best]) {
      const session = await ort.InferenceSession.create(each.model)
      assert.equal([...session.inputNames].sort(), Object.keys(each.feeds).sort())
      await check(ort, each, session)
      await check(ort, each, session)
      await session.release()
    }
  })
}

test('a variant is told by its feeds in any order, and released when no run has it, whatever comes of that', async () => {
  let made = 0
  let running = 0
  const freed: number[] = []
  const variants = new Variants([], async () => {
    const own = made++
    if (own === 1) throw new Error('not made')
    const release = async () => {
      freed.push(own, running)
      if (own === 0) throw new Error('not released')
    }
    return { release }
  })
  const use = (feeds: Feeds) =>
    variants.use(feeds, async () => {
      running++
      await new Promise(resolve => setTimeout(resolve, 1))
      running--
    })
  const x = (size: number) => new Tensor('float32', new Float32Array(size))
  await Promise.all([use({ a: x(1), b: x(2) }), use({ b: x(2), a: x(1) })])
  assert.is(made, 1)
  const runs = [3, 4, 5, 6, 7, 8].map(size => use({ a: x(size) }))
  const ends = (await Promise.allSettled(runs)).map(({ status }) => status)
  assert.equal(ends, ['rejected', ...Array(5).fill('fulfilled')])
  assert.equal(freed, [0, 0, 2, 0])
  await variants.release()
  assert.is(freed.length, 12)
})

test('runs of more sizes than are kept, all at once', async () => {
  const session = await imported.InferenceSession.create(cases.sizes[0].model)
  await Promise.all(
    cases.sizes.map(({ feeds, expected }) => check(imported, { model: cases.sizes[0].model, feeds, expected }, session))
  )
  await session.release()
})

test('a model is made from .cairn bytes, a path, a file: URL, and a blob: URL', async () => {
  const { model } = cases.small
  const path = join(folder, 'small.onnx')
  writeFileSync(path, model)
  const given = [
    await compile(model),
    path,
    String(pathToFileURL(path)),
    URL.createObjectURL(new Blob([model as Uint8Array<ArrayBuffer>]))
  ]
  for (const each of given) {
    const session = await imported.InferenceSession.create(each as string)
    assert.equal(session.inputMetadata[0], { ...session.inputMetadata[0], type: 'float32', shape: ['N', 3, 9, 8] })
    await check(imported, cases.small, session)
  }
})

test('weights in files of their own are given, or lie beside the model', async () => {
  const { model } = cases.small
  const proto = decodeModel(model)
  const [weights] = proto.graph!.initializer!
  const data = weights.rawData!
  const at = { key: 'location', value: 'weights.bin' }
  proto.graph!.initializer![0] = { ...weights, rawData: null, dataLocation: 1, externalData: [at] }
  const bytes = encodeModel(proto)
  writeFileSync(join(folder, 'apart.onnx'), bytes)
  await rejects(() => imported.InferenceSession.create(bytes), /weights\.bin/)
  for (const externalData of [
    [{ path: './weights.bin', data }],
    [{ path: 'weights.bin', data: new Blob([data as never]) }]
  ])
    await check(imported, cases.small, await imported.InferenceSession.create(bytes, { externalData }))
  writeFileSync(join(folder, 'weights.bin'), data)
  await check(imported, cases.small, await imported.InferenceSession.create(join(folder, 'apart.onnx')))
})

test('what is compiled is kept, and other sizes are another file', async () => {
  const [model] = small()
  const kept = () => readdirSync(folder).filter(name => name.endsWith('.cairn')).length
  const before = kept()
  await imported.InferenceSession.create(model)
  await imported.InferenceSession.create(model)
  assert.is(kept(), before + 1)
  await imported.InferenceSession.create(model, { freeDimensionOverrides: { N: 4 } })
  assert.is(kept(), before + 2)
})

test('a file that has not changed since it was compiled is not read again', async () => {
  const path = join(folder, 'unchanged.onnx')
  const asked: string[] = []
  const { open } = promises
  promises.open = (place, ...rest) => {
    asked.push(String(place))
    return open(place, ...rest)
  }
  try {
    const reads = async () => {
      asked.length = 0
      await imported.InferenceSession.create(path)
      return asked.filter(place => place === path).length
    }
    writeFileSync(path, small()[0])
    assert.equal([await reads(), await reads()], [1, 0])
    writeFileSync(path, small()[0])
    assert.equal([await reads(), await reads()], [1, 0])
  } finally {
    promises.open = open
  }
})

test('halves come as the engine has them', async () => {
  const m = new ModelBuilder(random)
  m.output(m.add('Relu', [m.input([4], 'float16')]))
  const session = await imported.InferenceSession.create(m.encode())
  const bits = Uint16Array.of(0x3c00, 0xbc00, 0x4000, 0)
  const [name] = session.inputNames
  const result = (await session.run({ [name]: new imported.Tensor('float16', bits, [4]) }))[session.outputNames[0]]
  const kind = (globalThis as { Float16Array?: unknown }).Float16Array ?? Uint16Array
  assert.instance(result.data, kind)
  assert.equal([...new Uint16Array((result.data as Uint16Array).buffer)], [0x3c00, 0, 0x4000, 0])
})

/** One more instance of onnxruntime-common, beside those of import and require. */
function freshCommon(): typeof Ort {
  const require = createRequire(import.meta.url)
  const loaded = Object.keys(require.cache).filter(path => path.includes('onnxruntime-common'))
  const kept = loaded.map(path => [path, require.cache[path]] as const)
  for (const path of loaded) delete require.cache[path]
  const fresh = require('onnxruntime-common') as typeof Ort
  for (const [path, module] of kept) require.cache[path] = module
  return fresh
}

test('names that another backend had first lead to the stand-in, once it is registered', async () => {
  const instance = freshCommon()
  const theirs = {
    init: async () => undefined,
    createInferenceSessionHandler: () => Promise.reject(new Error('not ours'))
  }
  for (const name of ['cpu', 'wasm']) instance.registerBackend(name, theirs, 100)
  const { register } = await import('cairnjs/onnxruntime')
  register(instance)
  register(instance)
  for (const executionProviders of [undefined, [], ['wasm'], [{ name: 'cpu' }, 'webgpu']]) {
    const session = await instance.InferenceSession.create(await compile(cases.small.model), { executionProviders })
    await check(instance, cases.small, session)
  }
})

test.run()
