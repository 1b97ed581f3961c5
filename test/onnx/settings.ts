// Settings: inputs that decide shapes, axes or conditions, given when compiling, or brought by a session's first run.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CompileError, compile } from '../../compiler/index.js'
import { env, InferenceSession } from '../../runtime/index.js'
import { compileModel, numbersOfTensors, presentBackends, Runner, tensorsOf } from '../support/cairn.js'
import { assertClose } from '../support/compare.js'
import { decodeModel, encodeModel, ModelBuilder } from '../support/onnx/model.js'
import { type Named, type Numbers, Oracle, randomFeeds } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'
import { root } from '../support/root.js'

const test = suite(`settings (seed ${baseSeed})`)
const random = new Random('settings')
const backends = await presentBackends()
const folder = mkdtempSync(join(tmpdir(), 'cairn-settings-'))
test.after(() => rmSync(folder, { recursive: true }))

const numbers = (dtype: Numbers['dtype'], data: readonly number[], dims: readonly number[] = [data.length]) => ({
  dtype,
  data,
  dims
})

interface Case {
  readonly model: Uint8Array
  readonly feeds: Named
  readonly settings: readonly Named[]
}

/** Cases by what depends on a setting; each with several values for it. */
const cases: Record<string, (m: ModelBuilder, x: string) => readonly Named[]> = {
  'sizes of a Resize': (m, x) => {
    m.output(m.add('Resize', [x, '', '', m.input([4], 'int64', [0, 1], 's')], { mode: 'linear' }))
    return [[2, 3, 7, 5].slice(), [2, 3, 12, 20]].map(sizes => ({ s: numbers('int64', sizes) }))
  },
  'scales of a Resize, which are floats': (m, x) => {
    m.output(m.add('Resize', [x, '', m.input([4], 'float32', [0, 1], 's')], { mode: 'nearest' }))
    return [[1, 1, 2, 1.5].slice(), [1, 1, 0.5, 3]].map(scales => ({ s: numbers('float32', scales) }))
  },
  'the k of a TopK': (m, x) => {
    m.output(...m.addMany('TopK', [x, m.input([1], 'int64', [0, 1], 's')], 2, { axis: 1 }))
    return [1, 3].map(k => ({ s: numbers('int64', [k]) }))
  },
  'the end of a Slice, computed': (m, x) => {
    const end = m.add('Mul', [m.input([1], 'int64', [0, 1], 's'), m.ints([2])])
    m.output(m.add('Relu', [m.add('Slice', [x, m.ints([0]), end, m.ints([3])])]))
    return [1, 3].map(half => ({ s: numbers('int64', [half]) }))
  },
  'axes and a shape': (m, x) => {
    const sum = m.add('ReduceSum', [x, m.input([1], 'int64', [0, 1], 's')], { keepdims: 1 })
    m.output(m.add('Reshape', [sum, m.input(['R'], 'int64', [0, 1], 't')]))
    return [
      { s: numbers('int64', [1]), t: numbers('int64', [2, 48]) },
      { s: numbers('int64', [-1]), t: numbers('int64', [3, 2, 6]) }
    ]
  },
  'a sample rate': (m, x) => {
    const sr = m.input([], 'int64', [0, 1], 's')
    const is16 = m.add('Equal', [sr, m.constant({ dtype: 'int64', dims: [], data: [16000] })])
    const layer = (channels: number) => (inner: ModelBuilder) => inner.add('Conv', [x, m.weights([channels, 3, 3, 3])])
    m.output(m.add('If', [is16], { then_branch: m.branch(layer(4)), else_branch: m.branch(layer(4)) }))
    return [16000, 8000].map(rate => ({ s: numbers('int64', [rate], []) }))
  },
  'a condition': (m, x) => {
    const flag = m.input([], 'bool', [0, 1], 's')
    const branch = (op: string) => m.branch(inner => inner.add(op, [x]))
    m.output(m.add('If', [flag], { then_branch: branch('Sigmoid'), else_branch: branch('Neg') }))
    return [1, 0].map(on => ({ s: numbers('bool', [on], []) }))
  }
}

function built(name: string): Case {
  const m = new ModelBuilder(random)
  const x = m.input([2, 3, 6, 8], 'float32', [-2, 2], 'x')
  const settings = cases[name](m, x)
  const feeds = randomFeeds([m.inputs[0]], random)
  return { model: m.encode(), feeds, settings }
}

for (const name of Object.keys(cases)) {
  const { model, feeds, settings } = built(name)

  test(`${name} is a setting (${backends.join(', ')})`, async () => {
    const oracle = await Oracle.load(model)
    for (const given of settings) {
      const expected = await oracle.run({ ...feeds, ...given })
      const file = compileModel(model, { settings: given })
      for (const backend of backends) {
        const runner = await Runner.load(file, backend)
        assert.equal(runner.session.inputNames, ['x'])
        assertClose(await runner.run(feeds), expected)
        await runner.release()
      }
    }
    await oracle.release()
  })

  test(`${name} comes with the first run`, async () => {
    const oracle = await Oracle.load(model)
    const session = await InferenceSession.create(model)
    assert.equal(session.inputNames, ['x', ...Object.keys(settings[0])])
    for (const given of [...settings, settings[0]]) {
      const all = { ...feeds, ...given }
      assertClose(numbersOfTensors(await session.run(tensorsOf(all))), await oracle.run(all))
    }
    await session.release()
    await oracle.release()
  })
}

const topK = built('the k of a TopK')

test('a setting is a number, a bigint, a list, an array of elements or a tensor', async () => {
  const oracle = await Oracle.load(topK.model)
  const expected = await oracle.run({ ...topK.feeds, s: numbers('int64', [2]) })
  for (const s of [
    2,
    2n,
    [2],
    [2n],
    BigInt64Array.of(2n),
    Int32Array.of(2),
    { dims: [1], data: BigInt64Array.of(2n) }
  ]) {
    const runner = await Runner.load(await compile(topK.model, { settings: { s } }))
    assertClose(await runner.run(topK.feeds), expected)
    await runner.release()
  }
  const flag = built('a condition')
  for (const s of [true, 1, [true], Uint8Array.of(1)]) await compile(flag.model, { settings: { s } })
  await oracle.release()
})

test('other names, types and shapes are refused with the settings that there are', async () => {
  const settings = /settings are "s" int64\[1\]$/
  const refused: [unknown, RegExp][] = [
    [{ k: 1 }, /no setting "k"/],
    [{ x: 1 }, /no setting "x"/],
    [{ s: 1.5 }, /setting "s": 1.5 is no element; int64\[1\] is taken/],
    [{ s: '1' }, /setting "s": is no number, list or array/],
    [{ s: [1, 2] }, /setting "s": has 2 elements/],
    [{ s: { dims: [], data: [1] } }, /setting "s": is \[\]/],
    [{ s: { type: 'int32', dims: [1], data: Int32Array.of(1) } }, /setting "s": is int32/],
    [{ s: 2n ** 60n }, /is no element/]
  ]
  for (const [given, why] of refused) {
    await rejects(() => compile(topK.model, { settings: given as never }), why, CompileError)
    await rejects(() => compile(topK.model, { settings: given as never }), settings, CompileError)
  }
  const plain = new ModelBuilder(random)
  plain.output(plain.add('Relu', [plain.input([3])]))
  await rejects(() => compile(plain.encode(), { settings: { k: 1 } }), /the model has no settings$/, CompileError)
})

test('what cannot be compiled for want of a setting names it', async () => {
  await rejects(
    () => compile(topK.model),
    /^TopK .* must be known when compiling; shapes depend on "s" int64\[1\]: compile with --set s=VALUE$/,
    CompileError
  )
})

/** What `work` says on the console, in lines. */
async function warnings(work: () => Promise<unknown>): Promise<string[]> {
  const { warn } = console
  const lines: string[] = []
  console.warn = (line: string) => lines.push(line)
  await work().finally(() => {
    console.warn = warn
  })
  return lines
}

test('a session says once that its runs compile, and its inputs are checked', async () => {
  const fresh = (name: string) => {
    const m = new ModelBuilder(random)
    m.output(...m.addMany('TopK', [m.input([5], 'float32', [-2, 2], 'x'), m.input([1], 'int64', [1, 5], name)], 2))
    return { model: m.encode(), feeds: randomFeeds(m.inputs, random) }
  }
  const { model, feeds } = fresh('said')
  const session = await InferenceSession.create(model)
  const given = tensorsOf(feeds)
  const lines = await warnings(async () => {
    for (let i = 0; i < 2; i++) await session.run(given)
  })
  assert.is(lines.length, 1)
  assert.match(lines[0], /^cairn: the model is compiled by the runs .*"said" int64\[1\]/)
  await rejects(() => session.run({ x: given.x }), /input "said" is missing; it takes int64/)
  await rejects(() => session.run({ ...given, other: given.x }), /no input "other"; the model takes "x", "said"/)
  await session.release()
  await rejects(() => session.run(given), /released/)
  env.logLevel = 'error'
  const quiet = fresh('unsaid')
  const silent = await InferenceSession.create(quiet.model)
  assert.equal(await warnings(() => silent.run(tensorsOf(quiet.feeds))), [])
  env.logLevel = undefined
  await silent.release()
})

test('inputs without a shape have that of the run, and runs at the same time do not mix', async () => {
  const m = new ModelBuilder(random)
  const x = m.input(['N', 3, 'H', 'W'])
  m.output(m.add('Relu', [m.add('Conv', [x, m.weights([4, 3, 3, 3])])]))
  const proto = decodeModel(m.encode())
  proto.graph!.input![0].type!.tensorType!.shape = null
  const model = encodeModel(proto)
  const oracle = await Oracle.load(model)
  const session = await InferenceSession.create(model, { executionProviders: ['auto'] })
  const sizes = Array.from({ length: 6 }, (_, i) => ({ N: 1 + (i % 2), H: 5 + i, W: 9 - i }))
  const all = sizes.map(bindings => randomFeeds(m.inputs, random, bindings))
  const results = await Promise.all(all.map(feeds => session.run(tensorsOf(feeds))))
  for (const [i, feeds] of all.entries()) assertClose(numbersOfTensors(results[i]), await oracle.run(feeds))
  await session.release()
  await oracle.release()
})

test('whole numbers that floats do not hold are refused, and carried in settings', async () => {
  const m = new ModelBuilder(random)
  const ids = m.input([2], 'int64', [0, 1], 'ids')
  m.output(
    m.add('Cast', [m.add('Mul', [ids, m.ints([1])])], { to: 1 }),
    m.add('Identity', [m.input([1], 'int32', [0, 1], 'n')])
  )
  const session = await InferenceSession.create(await compile(m.encode()))
  const odd = 2 ** 24 + 1 + 2 * Math.floor(random.next() * 1000)
  const feeds = (ids: readonly number[], n: number) =>
    tensorsOf({ ids: numbers('int64', ids), n: numbers('int32', [n]) })
  const [exact] = Object.values(await session.run(feeds([2 ** 24, -(2 ** 40)], 2 ** 25)))
  assert.equal([...exact.data], [2 ** 24, -(2 ** 40)])
  await rejects(() => session.run(feeds([0, -odd], 0)), new RegExp(`input "ids" has -${odd}; it takes int64`))
  await rejects(() => session.run(feeds([0, 2 ** 53 - 1], 0)), /input "ids" has 9007199254740991/)
  await rejects(() => session.run(feeds([0, 0], odd)), /input "n" has \d+; it takes int32\[1\] up to 2\^24/)
  await session.release()
  const same = new ModelBuilder(random)
  const is = same.add('Equal', [same.input([1], 'int64', [0, 1], 's'), same.ints([odd])])
  const branch = (op: string) => same.branch(inner => inner.add(op, [x]))
  const x = same.input([3], 'float32', [0.5, 1], 'x')
  const inBoth = { then_branch: branch('Identity'), else_branch: branch('Neg') }
  same.output(same.add('If', [same.add('Squeeze', [is, same.ints([0])])], inBoth))
  for (const [s, sign] of [
    [odd, 1],
    [odd + 1, -1]
  ] as const) {
    const set = await InferenceSession.create(await compile(same.encode(), { settings: { s } }))
    const given = random.values(3, [0.5, 1])
    const [y] = Object.values(await set.run(tensorsOf({ x: numbers('float32', given) })))
    assert.equal(
      [...y.data],
      [...Float32Array.from(given)].map(value => sign * value)
    )
    await set.release()
  }
})

async function cairn(...args: string[]): Promise<{ status: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [join(root, 'dist', 'cli', 'index.js'), ...args], { cwd: folder })
  let [out, err] = ['', '']
  child.stdout.on('data', data => (out += data))
  child.stderr.on('data', data => (err += data))
  const status = await new Promise<number | null>(done => child.on('close', done))
  return { status, out, err }
}

test('the command line sets them', async () => {
  writeFileSync(join(folder, 'm.onnx'), topK.model)
  for (const args of [
    ['compile', 'm.onnx', '-o', 'm.cairn'],
    ['run', 'm.onnx', '--random', '1'],
    ['verify', 'm.onnx', '--layers'],
    ['inspect', 'm.onnx', '--layers'],
    ['bench', 'm.onnx', '--seconds', '0.1', '--starts', '1', '--vs', 'ort-node']
  ]) {
    const { status, out, err } = await cairn(...args, '--set', 's=2', '--json')
    assert.is(status, 0, `${args[0]}: ${err}`)
    JSON.parse(out)
  }
  const refused: [number, RegExp, ...string[]][] = [
    [2, /^cairn: --set s=two: numbers, true and false are allowed/, 'inspect', 'm.onnx', '--set', 's=two'],
    [2, /^cairn: --set s: m.cairn is compiled already/, 'inspect', 'm.cairn', '--set', 's=2'],
    [1, /^cairn: m.onnx: no setting "t"; the model's settings are "s" int64\[1\]/, 'run', 'm.onnx', '--set', 't=2'],
    [1, /^cairn: m.onnx: TopK .* compile with --set s=VALUE/, 'run', 'm.onnx', '--random', '1']
  ]
  for (const [code, why, ...args] of refused) {
    const { status, err } = await cairn(...args)
    assert.is(status, code, err)
    assert.match(err, why)
    assert.is(err.trim().split('\n').length, 1)
  }
})

test.run()
