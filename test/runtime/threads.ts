// Threads: the same bits at every number of them, and no way to hang, to leak or to be refused without a reason.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { build } from '../../compiler/index.js'
import { zoo } from '../../models/index.js'
import { Pace } from '../../runtime/cpu/pace.js'
import { wasmBackend } from '../../runtime/cpu/wasm.js'
import { decode, encode } from '../../runtime/file/format.js'
import { env, FormatError, InferenceSession, type Results } from '../../runtime/index.js'
import { compileModel, tensorsOf } from '../support/cairn.js'
import { manyKernels } from '../support/cases/many-kernels.js'
import { sameBits } from '../support/compare.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { type Bindings, randomFeeds } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'
import { root } from '../support/root.js'
import { skip } from '../support/skip.js'

const test = suite(`threads (seed ${baseSeed})`)
const random = new Random('threads')
const load = (file: Uint8Array, numThreads: number) => InferenceSession.create(file, { numThreads })

const model = manyKernels(random)
const file = compileModel(model.encode())
const feedsAt = (bindings: Bindings) => tensorsOf(randomFeeds(model.inputs, random, bindings))
const sizes = { N: 2, H: 40, W: 56 }

function assertSame(results: Results, expected: Results, what: string): void {
  assert.equal(Object.keys(results), Object.keys(expected))
  for (const [name, { dims, data }] of Object.entries(results)) {
    assert.equal(dims, expected[name].dims)
    assert.ok(sameBits(data, expected[name].data), `${what}: "${name}" is not what one thread computes`)
  }
}

test('the kernels that are divided give the same bits at every number of threads', async () => {
  const bindings = [sizes, { N: 1, H: 9, W: 5 }, { N: 1, H: 90, W: 70 }, sizes]
  const feeds = bindings.map(feedsAt)
  const alone = await load(file, 1)
  const expected = await Promise.all(feeds.map(feed => alone.run(feed)))
  for (const count of [2, 3, 4, 7, 16]) {
    const session = await load(file, count)
    assert.is(session.threads, count)
    for (const [i, feed] of feeds.entries()) assertSame(await session.run(feed), expected[i], `${count} threads, ${i}`)
    await session.release()
  }
})

/** With sizes for the free dimensions, one run each. */
const networks: readonly (readonly [string, readonly Bindings[]])[] = [
  ['mobilenet-v2', [{ N: 1 }, { N: 2 }]],
  ['resnet18', [{ N: 1 }]],
  ['googlenet', [{ N: 1 }]],
  ['shufflenet-v2', [{ N: 1 }, { N: 3 }]],
  [
    'unet',
    [
      { N: 1, H: 64, W: 48 },
      { N: 1, H: 32, W: 32 },
      { N: 1, H: 48, W: 80 }
    ]
  ]
]

for (const [name, bindings] of networks)
  test(`${name} gives the same bits on 1, 2, 3 and 4 threads`, async () => {
    const { build: make, input } = zoo[name]
    const network = compileModel(make())
    const feeds = bindings.map(sizes =>
      tensorsOf(randomFeeds([{ name: 'input', dtype: 'float32', dims: input, range: [-1, 1] }], random, sizes))
    )
    const expected: Results[] = []
    for (const count of [1, 2, 3, 4]) {
      const session = await load(network, count)
      for (const [i, feed] of feeds.entries()) {
        const results = await session.run(feed)
        expected[i] ??= results
        assertSame(results, expected[i], `${count} threads, run ${i}`)
      }
      await session.release()
    }
  })

test('sessions with threads at the same time, twenty runs queued on each', async () => {
  const [alone, ...sessions] = await Promise.all([1, 2, 3].map(count => load(file, count)))
  const feeds = Array.from({ length: 20 }, (_, i) => feedsAt(i % 3 ? sizes : { N: 1, H: 8, W: 30 }))
  const expected = await Promise.all(feeds.map(feed => alone.run(feed)))
  const all = await Promise.all(sessions.map(session => Promise.all(feeds.map(feed => session.run(feed)))))
  for (const results of all) results.forEach((result, i) => assertSame(result, expected[i], `run ${i}`))
  await Promise.all(sessions.map(session => session.release()))
})

test('a release lets the runs before it end, and refuses those behind it', async () => {
  const session = await load(file, 3)
  const running = [session.run(feedsAt(sizes)), session.run(feedsAt(sizes))]
  const released = session.release()
  for (const run of running) assert.equal(Object.keys(await run), model.outputs)
  await released
  assert.is(session.memoryBytes, 0)
  await rejects(() => session.run(feedsAt(sizes)), /released/)
})

test('profiles time every call', async () => {
  const session = await load(file, 2)
  const times = await session.profile(feedsAt(sizes))
  assert.is(times.length, build(model.encode()).program.calls.length)
  assert.ok(times.every(({ milliseconds }) => milliseconds >= 0))
  await session.release()
})

const tasks = '/proc/self/task'
if (existsSync(tasks))
  test('thirty sessions leave no thread behind, nor do those that are refused', async () => {
    const feeds = feedsAt({ N: 1, H: 8, W: 8 })
    const cycle = async () => {
      const session = await load(file, 3)
      await session.run(feeds)
      await session.release()
    }
    await cycle()
    const before = readdirSync(tasks).length
    for (let i = 0; i < 30; i++) await cycle()
    // An engine may have started one of its own meanwhile.
    assert.ok(readdirSync(tasks).length < before + 5)
    const damaged = file.slice()
    damaged[damaged.length - 20] ^= 1
    for (const bytes of [damaged, new Uint8Array(9)])
      assert.ok(
        await load(bytes, 3).then(
          () => false,
          () => true
        )
      )
    assert.ok(readdirSync(tasks).length < before + 5)
  })
else skip('thirty sessions leave no thread behind', 'threads of a process are counted on Linux only')

test('thirty sessions leave no memory behind', () => {
  const script = `
    const cycle = async () => {
      const session = await InferenceSession.create(file, { numThreads: 2 })
      await session.run({ [session.inputNames[0]]: new Tensor('float32', new Float32Array(24 * 64), [1, 24, 8, 8]) })
      const { memoryBytes } = session
      await session.release()
      gc()
      return memoryBytes
    }
    const bytes = await cycle()
    const before = process.memoryUsage().rss
    for (let i = 0; i < 30; i++) await cycle()
    console.log(\`\${bytes} \${process.memoryUsage().rss - before}\`)`
  const m = new ModelBuilder(random)
  const x = m.input([1, 24, 8, 8])
  const heavy = m.add('Gemm', [m.add('Flatten', [x]), m.weights([24 * 64, 1500])])
  const [bytes, growth] = inChild(script, compileModel(m.output(heavy).encode()), ['--expose-gc'])
    .split(' ')
    .map(Number)
  assert.ok(bytes > 9e6)
  assert.ok(growth < 10 * bytes, `${growth} bytes more after thirty sessions of ${bytes}`)
})

test('numbers of threads that are refused', async () => {
  for (const count of [0, -1, 1.5, 17, Number.NaN, '2' as unknown as number])
    await rejects(() => load(file, count), /^numThreads .*; a whole number from 1 to 16 is allowed$/)
})

test('the environment says how many threads where the session does not', async () => {
  env.wasm.numThreads = 2
  try {
    const session = await InferenceSession.create(file)
    assert.is(session.threads, 2)
    await session.release()
    env.wasm.numThreads = -1
    await rejects(() => InferenceSession.create(file), /numThreads -1/)
  } finally {
    delete env.wasm.numThreads
  }
  const session = await InferenceSession.create(file)
  assert.is(session.threads, 1)
  await session.release()
})

const folder = mkdtempSync(join(tmpdir(), 'cairn-threads-'))
test.after(() => rmSync(folder, { recursive: true }))

/** Runs a module in a process of its own, with the runtime and a file at hand; gives what it prints. */
function inChild(script: string, bytes: Uint8Array, flags: readonly string[] = []): string {
  const runtime = pathToFileURL(join(root, 'dist', 'runtime', 'index.js')).href
  const path = join(folder, 'child.mjs')
  writeFileSync(
    path,
    `
    import process from 'node:process'
    import { InferenceSession, Tensor } from '${runtime}'
    const file = Buffer.from(await new Response(process.stdin).arrayBuffer())
    ${script}`
  )
  const options = { input: bytes, timeout: 60_000, encoding: 'utf8' as const }
  return execFileSync(process.execPath, [...flags, path], options).trim()
}

const smallRun = `session.run({ x: new Tensor('float32', new Float32Array(6), [1, 6]) })`

function small(): Uint8Array {
  const m = new ModelBuilder(random)
  return compileModel(m.output(m.add('Relu', [m.input([1, 6], 'float32', [-1, 1], 'x')])).encode())
}

test('one thread where memory cannot be shared, or there are no workers', () => {
  const script = `
    const session = await InferenceSession.create(file, { numThreads: 4 })
    await ${smallRun}
    console.log(String(session.threads))`
  assert.is(inChild(`delete globalThis.SharedArrayBuffer\n${script}`, small()), '1')
  assert.is(inChild(`globalThis.crossOriginIsolated = false\n${script}`, small()), '1')
  const without = `
    delete globalThis.Worker
    const builtin = process.getBuiltinModule
    process.getBuiltinModule = name => (name === 'node:worker_threads' ? undefined : builtin(name))`
  assert.is(inChild(`${without}\n${script}`, small()), '1')
  assert.is(inChild(script, small()), '4')
})

test('a process ends though a session with threads has not been released', () => {
  const script = `
    const session = await InferenceSession.create(file, { numThreads: 3 })
    await ${smallRun}
    console.log('ran')`
  assert.is(inChild(script, small()), 'ran')
})

/** Makes every worker one that `change` has had its hands on. */
const patched = (body: string) => `
  const builtin = process.getBuiltinModule
  const { Worker } = builtin('node:worker_threads')
  const made = []
  class Patched extends Worker { ${body} }
  process.getBuiltinModule = name => (name === 'node:worker_threads' ? { Worker: Patched } : builtin(name))`

test('a worker that does not start is an error, not a silence', () => {
  const script = `
    ${patched(`constructor(_, options) { super('throw new Error("broken script")', { ...options, eval: true }) }`)}
    try {
      await InferenceSession.create(file, { numThreads: 3 })
    } catch (error) {
      console.log(error.name + ': ' + error.message)
    }`
  assert.match(inChild(script, small()), /^CairnError: thread [23] of 3 has failed: broken script$/)
})

test('a worker that is gone is an error of the next run', () => {
  const script = `
    ${patched('constructor(...args) { super(...args); made.push(this) }')}
    const session = await InferenceSession.create(file, { numThreads: 2 })
    await ${smallRun}
    await made[0].terminate()
    try {
      await ${smallRun}
    } catch (error) {
      console.log(error.name + ': ' + error.message)
    }
    await session.release()`
  assert.match(inChild(script, small()), /^CairnError: thread 2 of 2 has failed: exit code/)
})

test('a kernel that traps on any thread is an error of the run', async () => {
  const m = new ModelBuilder(random)
  const x = m.input(['N', 6, 64, 64])
  const { program, summary } = build(m.output(m.add('Erf', [x])).encode())
  const [call] = program.calls
  const steps = Object.freeze([...call.parameters])
  // The rows of y lie so far apart that all but the first are outside the memory.
  const wild = steps.map((value, i) => (i === 17 || i === 16 ? 2 ** 29 : i === 4 ? 64 : i === 5 ? 4096 : value))
  const damaged = { ...program, calls: [{ ...call, parameters: wild }, ...program.calls.slice(1)] }
  const file = async () => decode(encode(damaged, summary))
  // A session would refuse the file.
  await rejects(
    async () => (await load(encode(damaged, summary), 2)).run(tensorsOf(randomFeeds(m.inputs, random, { N: 1 }))),
    /touches/,
    FormatError
  )
  for (const numThreads of [1, 2]) {
    const executor = await wasmBackend.load(file(), { numThreads, reopen: file, provider: {} })
    const feed = new Float32Array(6 * 64 * 64)
    for (let i = 0; i < 2; i++)
      await rejects(async () => executor.run([feed], { N: 1 }), /kernel unary of .* has failed/)
    await executor.release()
  }
})

const pacing = new Random('pace')

/** Notes runs that take `together` or `alone` milliseconds, and of the first kind a share in waiting; how many were alone. */
function runs(pace: Pace, count: number, together: number, alone: number, waiting: number): number {
  let times = 0
  for (let i = 0; i < count; i++) {
    times += Number(pace.isAlone)
    const total = (pace.isAlone ? alone : together) * pacing.uniform(0.95, 1.05)
    pace.note(total, pace.isAlone ? 0 : total * waiting)
  }
  return times
}

test('threads that do not wait go on together, however slow the first runs are', () => {
  const pace = new Pace()
  assert.is(runs(pace, 5, 50, 10, 0.9), 0)
  assert.is(runs(pace, 500, 6, 10, 0.1), 0)
})

test('threads that wait are tried against one, which is kept while it is faster', () => {
  const pace = new Pace()
  runs(pace, 20, 14, 10, 0.5)
  assert.ok(runs(pace, 400, 14, 10, 0.5) > 350)
  // The other work has ended: within the runs that one is kept for, and a trial, all go on.
  runs(pace, 50, 6, 10, 0.05)
  assert.is(runs(pace, 200, 6, 10, 0.05), 0)
})

test('threads that wait and are faster all the same are kept', () => {
  const pace = new Pace()
  assert.ok(runs(pace, 500, 8, 10, 0.5) < 60)
})

test.run()
