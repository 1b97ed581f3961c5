// The self-check: golden data is right on every device, names the first layer that is wrong, and is refused when damaged.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { build, CompileError, type CompileOptions, compile } from '../../compiler/index.js'
import { goldenOf } from '../../compiler/lower/golden.js'
import { Interpreter } from '../../compiler/lower/reference.js'
import { kernels } from '../../compiler/ops/kernels.js'
import { zoo } from '../../models/index.js'
import { floatToHalf, halfToFloat } from '../../runtime/base/half.js'
import { evaluate } from '../../runtime/file/dims.js'
import { drawn, type Golden, type Sums, summarise } from '../../runtime/file/expected.js'
import { decode, encode, goldenBytes } from '../../runtime/file/format.js'
import { storagesWritten } from '../../runtime/file/observed.js'
import type { Program } from '../../runtime/file/program.js'
import { FormatError, InferenceSession, type SessionOptions } from '../../runtime/index.js'
import { judge } from '../../runtime/session/golden.js'
import { presentBackends, tensorsOf } from '../support/cairn.js'
import { sameBits } from '../support/compare.js'
import { ModelBuilder, resized } from '../support/onnx/model.js'
import { randomFeeds } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'
import { root } from '../support/root.js'
import { isTaken } from '../support/share.js'
import { skip } from '../support/skip.js'

const test = suite(`golden (seed ${baseSeed})`)
const random = new Random('golden')
const backends = await presentBackends()

/** Convolutions (Winograd too), a concatenation, what works in place, a Gemm, a comparison, an index. */
function network(sizes: readonly [string | number, string | number]): ModelBuilder {
  const m = new ModelBuilder(random)
  const x = m.input(['N', 3, ...sizes])
  const first = m.add('Relu', [m.add('Conv', [x, m.weights([32, 3, 3, 3]), m.weights([32])], { pads: [1, 1, 1, 1] })])
  const second = m.add('Conv', [first, m.weights([32, 32, 3, 3])], { pads: [1, 1, 1, 1] })
  const joined = m.add('Concat', [first, m.add('Sigmoid', [second])], { axis: 1 })
  const pooled = m.add('GlobalAveragePool', [m.add('Add', [joined, m.add('Tanh', [joined])])])
  const scores = m.add('Gemm', [m.add('Flatten', [pooled]), m.weights([64, 10]), m.weights([10])])
  return m.output(m.add('ArgMax', [scores], { axis: 1 }), m.add('Softmax', [scores]))
}

const model = network(['H', 'W']).encode()
const fixed = network([24, 20]).encode()
const everywhere: readonly (SessionOptions & { readonly what: string })[] = [
  ...backends.map(name => ({ what: name, executionProviders: [name] })),
  { what: 'three threads', numThreads: 3 }
]

async function verified(file: Uint8Array, options: SessionOptions = {}) {
  const session = await InferenceSession.create(file, options)
  const found = await session.verify()
  await session.release()
  return found
}

for (const { what, ...options } of everywhere)
  test(`right on ${what}, with free dimensions and without, between other runs`, async () => {
    for (const bytes of [model, fixed])
      for (const weights of ['f32', 'f16'] as const) {
        const file = await compile(bytes, { golden: true, weights })
        const session = await InferenceSession.create(file, options)
        const feeds = tensorsOf(
          randomFeeds([{ name: session.inputNames[0], dtype: 'float32', dims: [2, 3, 24, 20], range: [-1, 1] }], random)
        )
        const before = await session.run(feeds)
        const [found, after] = await Promise.all([session.verify(), session.run(feeds)])
        assert.is(found.ok, true, `${found.first?.layer}: ${found.first?.error}`)
        assert.is(found.layers, decode(file).header.calls.length)
        assert.ok(found.worst!.error < found.worst!.limit / 2)
        assert.is(found.worst!.error > 0, options.executionProviders?.[0] !== 'reference')
        for (const name of session.outputNames) assert.ok(sameBits(after[name].data, before[name].data))
        assert.is((await session.verify()).ok, true)
        await session.release()
      }
  })

/** The file with a program that is not the one that its golden data is of; all digests are right. */
function broken(bytes: Uint8Array, change: (program: Program) => Program): Uint8Array {
  const { program, summary } = build(bytes)
  return encode(change(program), { ...summary, golden: goldenOf(program) })
}

const nameAt = ({ calls, kernels }: Pick<Program, 'calls' | 'kernels'>, at: number) => ({
  layer: calls[at].node,
  kernel: kernels[calls[at].kernel].name
})

for (const { what, ...options } of everywhere)
  test(`a broken weight is found in the first layer that reads it, ${what}`, async () => {
    const { program } = build(fixed)
    const weights = program.constants.flatMap(({ panel, data }, i) => (panel && data.some(Boolean) ? [i] : []))
    assert.ok(weights.length >= 3)
    for (const index of weights) {
      const { data } = program.constants[index]
      const most = data.reduce((max, value) => Math.max(max, Math.abs(value)), 0)
      const strong = Array.from(data.keys()).filter(i => Math.abs(data[i]) > most / 2)
      const at = random.pick(strong)
      const file = broken(fixed, each => ({
        ...each,
        constants: each.constants.map((constant, i) => {
          if (i !== index) return constant
          const changed = constant.data.slice()
          // The highest byte of one weight.
          new Uint8Array(changed.buffer)[at * 4 + 3] ^= 0x80
          return { ...constant, data: changed }
        })
      }))
      const derived = program.setup
        .filter(({ arguments: given }) =>
          given.some(({ space, index: read }) => space === 'constant' && read === index)
        )
        .flatMap(({ arguments: given }) => given.filter(({ space }) => space === 'derived').map(each => each.index))
      const reader = program.calls.findIndex(call =>
        call.arguments.some(({ space, index: read }) =>
          space === 'constant' ? read === index : space === 'derived' && derived.includes(read)
        )
      )
      const { ok, first } = await verified(file, options)
      assert.is(ok, false, `constant ${index}, element ${at}`)
      const { layer, kernel, error, limit } = first!
      assert.equal({ layer, kernel }, nameAt(program, reader))
      assert.ok(error > limit)
    }
  })

for (const { what, ...options } of everywhere)
  test(`a broken parameter is found, ${what}`, async () => {
    const { program } = build(fixed)
    const fieldOf = (at: number) => Object.keys(kernels[nameAt(program, at).kernel].fields).indexOf('act')
    const at = program.calls.findIndex((call, i) => fieldOf(i) >= 0 && call.parameters[fieldOf(i)] !== 0)
    const file = broken(fixed, each => ({
      ...each,
      calls: each.calls.map((call, i) =>
        i === at ? { ...call, parameters: call.parameters.map((p, field) => (field === fieldOf(at) ? 0 : p)) } : call
      )
    }))
    const { first } = await verified(file, options)
    assert.equal([first?.layer, first?.kernel], Object.values(nameAt(program, at)))
  })

/** What a session of the CPU path calls, when its sizes are fixed. */
interface Inner {
  executor: {
    memory: WebAssembly.Memory
    layout: { arena: number }
    bound: { plan: { offsets: number[] }; calls: { kernel: (...given: number[]) => void }[] }
  }
}

test('one wrong element in any layer is found, NaN and infinity too, and the session goes on', async () => {
  const { program, summary } = build(fixed, { shapes: { x_0: [1, 3, 24, 20] } })
  const session = await InferenceSession.create(encode(program, { ...summary, golden: goldenOf(program) }))
  const { memory, layout, bound } = (session as unknown as Inner).executor
  for (const [at, call] of program.calls.entries()) {
    const { kernel } = bound.calls[at]
    const [storage] = storagesWritten(call)
    const elements = new Float32Array(
      memory.buffer,
      layout.arena + bound.plan.offsets[storage],
      program.storages[storage] as number
    )
    for (const wrong of ['off', Number.NaN, Number.POSITIVE_INFINITY] as const) {
      bound.calls[at].kernel = (...given) => {
        kernel(...given)
        const valid = Array.from(elements.keys()).filter(i => Number.isFinite(elements[i]))
        const i = random.pick(valid)
        const { norm } = summarise([elements])
        elements[i] = wrong === 'off' ? elements[i] + Math.max(norm / Math.sqrt(valid.length), 1e-3) : wrong
      }
      const { first } = await session.verify()
      assert.equal([first?.layer, first?.kernel], Object.values(nameAt(program, at)), `call ${at}, ${wrong}`)
      if (wrong !== 'off') assert.is(first!.error, Number.POSITIVE_INFINITY)
    }
    bound.calls[at].kernel = kernel
    assert.is((await session.verify()).ok, true)
  }
  await session.release()
})

/** The reference with every result rounded, as a device of that precision holds it. */
function roundedRun(program: Program, golden: Golden, round: (value: number) => number): Sums[] {
  const found: Sums[] = []
  const bindings = Object.fromEntries(program.free.map((name, i) => [name, golden.sizes[i]]))
  const inputs = program.inputs.map(({ shape }, i) =>
    drawn(
      golden,
      i,
      shape.reduce<number>((count, dim) => count * evaluate(dim, bindings), 1)
    )
  )
  for (const { at, written } of Interpreter.of(program).steps(inputs, bindings)) {
    for (const elements of written) elements.forEach((value, i) => (elements[i] = round(value)))
    found[at] = summarise(written)
  }
  return found
}

for (const name of ['lenet5', 'resnet20-cifar'])
  test(`${name}: limits of halves are met by halves, those of single precision are not`, () => {
    const { program, summary } = build(zoo[name].build(), { weights: 'f16' })
    const golden = goldenOf(program)
    const { header } = decode(encode(program, { ...summary, golden }))
    const stored = header.golden!
    const asHalf = (value: number) => halfToFloat(floatToHalf(value))
    const constants = program.constants.map(each => ({ ...each, data: each.data.map(asHalf) }))
    const halves = roundedRun({ ...program, constants }, golden, asHalf)
    const { ok, worst } = judge(header, stored, halves, 'f16')
    assert.ok(ok && worst!.error < worst!.limit / 2, `${worst!.error} of ${worst!.limit}`)
    assert.is(judge(header, stored, halves, 'f32').ok, false)
    const singles = roundedRun({ ...program, constants }, golden, Math.fround)
    assert.is(judge(header, stored, singles, 'f32').ok, true)
  })

test('whole numbers have to be right, unless rounding may change them', () => {
  const found = () => {
    const m = new ModelBuilder(random)
    const x = m.input([1, 4, 9, 9])
    const scores = m.add('Conv', [x, m.weights([20, 4, 3, 3])])
    const index = m.add('ArgMax', [scores], { axis: 1 })
    const { program } = build(m.output(index).encode())
    return goldenOf(program).layers[program.calls.findIndex((_, i) => nameAt(program, i).kernel === 'argmax')]
  }
  let layer = found()
  // Of some weights two scores are the same but for rounding somewhere.
  for (let more = 0; more < 4 && layer.limit > 0.5; more++) layer = found()
  assert.ok(layer.norm > 1)
  assert.ok(layer.limit <= 0.5, `${layer.limit}`)
  // Two classes that are the same but for rounding: either index is right.
  const close = new ModelBuilder(random)
  const y = close.input([1, 1, 9, 9])
  const both = [1, 1].map(scale =>
    close.add('Mul', [close.add('Mul', [y, close.scalar(1 / 3)]), close.scalar(scale * 3)])
  )
  const tied = build(close.output(close.add('ArgMax', [close.add('Concat', both, { axis: 1 })], { axis: 1 })).encode())
  const last = goldenOf(tied.program).layers.at(-1)!
  assert.ok(last.limit > 1, `${last.limit}`)
})

test('layers of which rounding decides what is finite are refused', async () => {
  const below = new ModelBuilder(random)
  const odds = below.add('Softmax', [below.add('Mul', [below.input([1, 64]), below.scalar(80)])])
  const underflows = below.output(below.add('Log', [odds])).encode()
  const small = new ModelBuilder(random)
  const x = small.add('Add', [small.add('Mul', [small.input([32, 512]), small.scalar(1e-4)]), small.scalar(3)])
  const meanOf = (value: string) => small.add('ReduceMean', [value], { axes: [1] })
  const mean = meanOf(x)
  const variance = small.add('Sub', [meanOf(small.add('Mul', [x, x])), small.add('Mul', [mean, mean])])
  const cancels = small.output(small.add('Sqrt', [variance])).encode()
  for (const bytes of [underflows, cancels])
    await rejects(() => compile(bytes, { golden: true }), /"(log|sqrt)_\d+": rounding decides/, CompileError)
})

test('a layer without finite elements does not hide the one that comes closest', async () => {
  const m = new ModelBuilder(random)
  const x = m.input([1, 64])
  const curved = m.add('Tanh', [m.add('Exp', [x])])
  const file = await compile(
    m.output(curved, m.add('Reciprocal', [m.add('Sub', [x, x])]), m.add('Neg', [x])).encode(),
    {
      golden: true
    }
  )
  const { ok, worst } = await verified(file)
  assert.is(ok, true)
  assert.ok(worst!.error > 0, `${worst!.layer}: ${worst!.error}`)
})

test('golden data is small, its sizes can be said, and what cannot be is refused', async () => {
  const [plain, golden] = [await compile(model), await compile(model, { golden: true })]
  const { header } = decode(golden)
  assert.equal(
    header.golden!.sizes,
    header.free.map(name => ({ N: 1, H: 32, W: 32 })[name])
  )
  assert.ok(goldenBytes(header.golden!) < 90 * header.calls.length)
  assert.ok(golden.length - plain.length < goldenBytes(header.golden!) + 32)
  assert.ok(sameBits(golden, await compile(model, { golden: true })), 'the same every time')
  const own = decode(await compile(model, { golden: { seed: 7, dims: { H: 40, W: 24, N: 2 } } })).header
  assert.equal(
    own.golden!.sizes,
    own.free.map(name => ({ N: 2, H: 40, W: 24 })[name])
  )
  const refused: [CompileOptions['golden'], RegExp][] = [
    [{ seed: -1 }, /seed -1/],
    [{ dims: { Z: 3 } }, /Z=3.*H, N, W/],
    [{ dims: { H: 0 } }, /H=0/],
    [{ dims: { H: 1e6, W: 1e6 } }, /elements; up to/]
  ]
  for (const [options, message] of refused)
    await rejects(() => compile(model, { golden: options }), message, CompileError)
})

test('a file without golden data says how to get some', async () => {
  const session = await InferenceSession.create(await compile(fixed))
  await rejects(() => session.verify(), /no golden data.*--golden/)
  await session.release()
  await rejects(() => session.verify(), /no golden data/)
})

test('golden data that does not fit the program is refused', async () => {
  const { program, summary } = build(model)
  const golden = goldenOf(program)
  const [layer, ...others] = golden.layers
  const hostile: Record<string, Golden> = {
    'other layers': { ...golden, layers: others },
    'golden data of the call': { ...golden, layers: [{ ...layer, sums: layer.sums.slice(1) }, ...others] },
    'data of the call': { ...golden, layers: [{ ...layer, limit: Number.NaN }, ...others] },
    'the call of': { ...golden, layers: [{ ...layer, count: -1 }, ...others] },
    'other sizes': { ...golden, sizes: [0, 1, 1] },
    'golden data has other sizes': { ...golden, sizes: [1, 1] },
    elements: { ...golden, sizes: golden.sizes.map(() => 2 ** 20) },
    'other inputs': { ...golden, inputs: [] },
    'data has other inputs': { ...golden, inputs: [{ low: 0, step: Number.NaN, levels: 2 }] }
  }
  assert.equal(decode(encode(program, { ...summary, golden })).header.golden!.inputs, golden.inputs)
  for (const [message, each] of Object.entries(hostile))
    await rejects(async () => decode(encode(program, { ...summary, golden: each })), new RegExp(message), FormatError)
})

/** Networks of every family, at sizes at which double precision takes seconds; a usual run takes two or three. */
const families = ['lenet-caffe', 'resnet20-cifar', 'squeezenet1.1', 'mobilenet-v3-small', 'shufflenet-v2']
for (const [i, name] of (process.env.CAIRN_ALL ? Object.keys(zoo) : families).entries()) {
  if (!isTaken(i, 2)) {
    skip(`no false alarm: ${name}`, 'the seed takes others; CAIRN_ALL=1 takes all')
    continue
  }
  test(`no false alarm: ${name}`, async () => {
    const { build: make, input } = zoo[name]
    const pools = /lenet|alexnet|vgg|zfnet|cifar|unet/.test(name) === false
    const file = await compile(pools ? resized(make(), [1, input[1], 64, 64]) : make(), { golden: true })
    for (const backend of backends) {
      // The reference is what made the data, and a GPU that is a program takes minutes.
      if (backend !== 'wasm' && !process.env.CAIRN_ALL && name !== 'lenet-caffe') continue
      const { ok, first } = await verified(file, { executionProviders: [backend] })
      assert.ok(ok, `${backend}: ${JSON.stringify(first)}`)
    }
  })
}

test('cairn compile --golden, inspect and verify', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-golden-'))
  const path = (name: string) => join(folder, name)
  const cairn = (...given: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'dist/cli/index.js'), ...given], {
      encoding: 'utf8'
    })
    return { status, stdout, stderr }
  }
  try {
    writeFileSync(path('model.onnx'), model)
    const made = cairn('compile', path('model.onnx'), '--golden', '--golden-dims', 'H=24,W=20', '--json')
    const { golden } = JSON.parse(made.stdout)
    assert.equal(golden.dims, { H: 24, N: 1, W: 20 })
    assert.is(JSON.parse(cairn('inspect', path('model.cairn'), '--json').stdout).golden.layers, golden.layers)
    const good = cairn('verify', path('model.cairn'), '--device', 'wasm', '--threads', '2', '--json')
    assert.is(good.status, 0, good.stderr)
    const { passed, layers, threads } = JSON.parse(good.stdout)
    assert.equal([passed, layers, threads], [true, golden.layers, 2])
    const { program } = build(model)
    const first = program.calls.findIndex(call =>
      call.arguments.some(({ space, index }) => space === 'constant' && program.constants[index].panel)
    )
    const file = broken(model, each => ({
      ...each,
      constants: each.constants.map(constant =>
        constant.panel ? { ...constant, data: constant.data.map(value => -value) } : constant
      )
    }))
    writeFileSync(path('broken.cairn'), file)
    const bad = cairn('verify', path('broken.cairn'), '--device', 'wasm')
    assert.is(bad.status, 1)
    assert.ok(bad.stdout.includes(`first layer that diverges: "${program.calls[first].node}"`), bad.stdout)
    assert.match(bad.stderr, /^cairn: .*broken\.cairn: layer .* diverges on wasm[^\n]*\n$/)
    writeFileSync(path('plain.cairn'), await compile(model))
    const none = cairn('verify', path('plain.cairn'), '--device', 'wasm')
    assert.equal([none.status, /no golden data/.test(none.stderr)], [1, true])
    assert.is(cairn('verify', path('model.cairn'), '--layers').status, 2)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.run()
