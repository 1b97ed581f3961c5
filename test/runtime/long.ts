// Long runs: thousands of runs and hundreds of sessions hold no more in the end than near the beginning, and calls at the
// same time never mix. CAIRN_LONG says how many runs (`npm run test:long`: 10000), CAIRN_ONLY picks cases.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compile } from '../../compiler/index.js'
import { zoo } from '../../models/index.js'
import { InferenceSession, type SessionOptions, Tensor } from '../../runtime/index.js'
import { type BackendName, presentBackends } from '../support/cairn.js'
import { errorOf, sameBits, tolerance } from '../support/compare.js'
import { gpu } from '../support/gpu.js'
import { counted, flat, held } from '../support/host/holdings.js'
import { resized, sizeOf } from '../support/onnx/model.js'
import { baseSeed, Random } from '../support/random.js'

const random = new Random('long')
const runs = Number(process.env.CAIRN_LONG ?? 0)
/** In the suite slow backends get fewer; and a GPU that is a program a tenth at full length, unless CAIRN_ALL=1 asks for all. */
const times: Readonly<Record<BackendName, number>> = runs
  ? { wasm: runs, reference: runs, webgpu: process.env.CAIRN_ALL ? runs : Math.ceil(runs / 10) }
  : { wasm: 320, reference: 16, webgpu: 16 }
const sessions = runs ? Math.ceil(runs / 20) : 24
const only = process.env.CAIRN_ONLY ?? ''

const test = suite(`long (seed ${baseSeed})`)
const check = (name: string, work: () => Promise<void>) => {
  if (name.includes(only)) test(name, work)
}

/** Real networks, at sizes at which thousands of runs take minutes. */
const networks: Readonly<Record<string, readonly number[]>> = {
  lenet5: [1, 1, 32, 32],
  'resnet20-cifar': [1, 3, 8, 8],
  'mobilenet-v3-small': [1, 3, 32, 32]
}

const files = Object.fromEntries(
  await Promise.all(
    Object.keys(networks).map(async name => [name, await compile(resized(zoo[name].build(), networks[name]))] as const)
  )
)

const backends = await presentBackends()
const device = backends.includes('webgpu')
  ? counted(await (await (await gpu()).requestAdapter())!.requestDevice())
  : undefined

const open = (name: string, backend: BackendName, options: SessionOptions = {}) =>
  InferenceSession.create(files[name], { executionProviders: [{ name: backend, device }], ...options })

const noise = (name: string) => {
  const dims = networks[name]
  return new Tensor('float32', Float32Array.from(random.values(sizeOf(dims), [-1, 1])), dims)
}

async function outputOf(session: InferenceSession, input: Tensor): Promise<Float32Array> {
  const results = await session.run({ [session.inputNames[0]]: input })
  return results[session.outputNames[0]].data as Float32Array
}

interface Example {
  readonly input: Tensor
  readonly expected: Float32Array
}

/** Inputs, and what the reference makes of them. */
async function examplesFor(name: string): Promise<readonly Example[]> {
  const reference = await open(name, 'reference')
  const made: Example[] = []
  for (let i = 0; i < 8; i++) {
    const input = noise(name)
    made.push({ input, expected: await outputOf(reference, input) })
  }
  await reference.release()
  return made
}

const examples = Object.fromEntries(
  await Promise.all(Object.keys(networks).map(async name => [name, await examplesFor(name)] as const))
)

const numbers = (data: Float32Array) => ({ dtype: 'float32' as const, dims: [data.length], data })

for (const backend of backends)
  for (const name of Object.keys(networks)) {
    if (backend === 'webgpu' && name !== 'lenet5' && !runs) continue
    check(`${times[backend]} runs of ${name} on ${backend}`, async () => {
      const cases = examples[name]
      const session = await open(name, backend)
      await flat(`${times[backend]} runs of ${name} on ${backend}`, times[backend], async i => {
        const { input, expected } = cases[i % cases.length]
        const { error, what } = errorOf(numbers(await outputOf(session, input)), numbers(expected))
        assert.ok(error <= tolerance, `run ${i}: ${what}`)
      })
      await session.release()
    })
  }

check(`${sessions} sessions`, async () => {
  const [{ input, expected }] = examples.lenet5
  const kinds = backends.flatMap(backend =>
    (backend === 'wasm' ? [1, 3] : [1]).map(numThreads => ({ backend, numThreads }))
  )
  await flat(`${sessions} sessions`, sessions, async i => {
    const { backend, numThreads } = kinds[i % kinds.length]
    const session = await open('lenet5', backend, { numThreads })
    const { error, what } = errorOf(numbers(await outputOf(session, input)), numbers(expected))
    assert.ok(error <= tolerance, `session ${i} on ${backend}: ${what}`)
    await session.release()
  })
  const { memories, workers } = await held()
  assert.is(workers, 0)
  assert.ok(memories <= kinds.length, `${memories} memories of sessions that have been released`)
})

for (const backend of backends)
  for (const count of [1, 5]) {
    const calls = backend === 'wasm' || runs ? 50 : 10
    check(`${calls} calls at a time on ${count} ${count > 1 ? 'sessions' : 'session'}, ${backend}`, async () => {
      const opened = await Promise.all(Array.from({ length: count }, () => open('lenet5', backend)))
      const inputs = Array.from({ length: calls }, () => noise('lenet5'))
      const together = await Promise.all(inputs.map((input, i) => outputOf(opened[i % count], input)))
      for (const [i, input] of inputs.entries())
        assert.ok(sameBits(together[i], await outputOf(opened[0], input)), `call ${i} has another result alone`)
      assert.ok(!sameBits(together[0], together[1]))
      await Promise.all(opened.map(session => session.release()))
    })
  }

test.run()
