// Kernels on bytes, on every backend against the reference: all their elements are equal. CAIRN_ONLY=text picks cases by name.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openNullGpu } from '../../cli/device/gpu.js'
import { Interpreter } from '../../compiler/lower/index.js'
import { kernels } from '../../compiler/ops/kernels.js'
import { rules } from '../../runtime/check/rules.js'
import { evaluate } from '../../runtime/file/dims.js'
import { encode } from '../../runtime/file/format.js'
import type { Program } from '../../runtime/file/program.js'
import { env, InferenceSession, Tensor } from '../../runtime/index.js'
import { presentBackends } from '../support/cairn.js'
import { byteCases } from '../support/cases/byte-cases.js'
import { type ByteCase, ByteLayers, bytesFor } from '../support/cases/byte-layers.js'
import { isTelling } from '../support/compare.js'
import { withoutLanguage } from '../support/gpu.js'
import type { Bindings } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { isTaken } from '../support/share.js'
import { skip } from '../support/skip.js'

const test = suite(`kernels on bytes (seed ${baseSeed})`)

/**
 * Weights that are widened at load are no layer: test/compiler/quantise.ts compares models that have them. Rules of what only
 * training calls come with train/; none of it is of bytes.
 */
const ofBytes = Object.keys(kernels).filter(name => rules[name]?.bytes && name !== 'widen8')
const summary = { arena: 0, arenaLowerBound: 0, nodesBefore: 0, nodesAfter: 0, batchNormsFolded: 0, operators: [] }

const backends = await presentBackends()

/** WebGPU also as where the language has no products of packed bytes, of which a usual run takes a share. */
const ways = backends.flatMap((backend): { backend: string; gpu?: GPU; interval: number }[] => {
  if (backend !== 'webgpu') return [{ backend, interval: 1 }]
  const gpu = env.webgpu.gpu!
  const whole = { backend, gpu, interval: 1 }
  if (gpu.wgslLanguageFeatures.has('packed_4x8_integer_dot_product'))
    return [whole, { backend, gpu: withoutLanguage(gpu), interval: 3 }]
  skip('products of packed bytes', "this WebGPU's language has none")
  return [whole]
})

function tensorsFor({ inputs }: Program, feeds: readonly (readonly number[] | Float32Array)[], bindings: Bindings) {
  return Object.fromEntries(
    inputs.map(({ name, shape }, i) => [
      name,
      new Tensor(
        'float32',
        Float32Array.from(feeds[i]),
        shape.map(dim => evaluate(dim, bindings))
      )
    ])
  )
}

const seen = new Set<string>()

async function check(item: ByteCase, index: number): Promise<void> {
  const random = new Random(item.name)
  const program = new ByteLayers(random).programOf(item)
  for (const { name } of program.kernels) seen.add(name)
  const file = encode(program, summary)
  for (const { backend, gpu, interval } of ways) {
    if (!isTaken(index, interval)) continue
    env.webgpu.gpu = gpu
    const session = await InferenceSession.create(file, { executionProviders: [backend] })
    for (const bindings of item.bindings ?? [{}]) {
      // What the first run leaves in memory are other numbers than what the second has to write.
      await session.run(tensorsFor(program, bytesFor(program, random, bindings), bindings))
      const feeds = item.feeds?.(random) ?? bytesFor(program, random, bindings)
      const expected = Interpreter.of(program).run(feeds, bindings)
      const results = await session.run(tensorsFor(program, feeds, bindings))
      expected.forEach((wanted, i) => {
        const got = results[`y${i}`].data as Float32Array
        const at = wanted.findIndex((each, j) => each !== got[j])
        const differing = wanted.filter((each, j) => each !== got[j]).length
        assert.is(got.length, wanted.length)
        assert.ok(
          at < 0,
          `y${i} on ${backend}: element ${at} of ${wanted.length} is ${got[at]}, not ${wanted[at]} (${differing} differ)`
        )
        assert.ok(
          got.length < 64 || isTelling({ dtype: 'float32', dims: [], data: wanted }),
          `y${i} is the same everywhere`
        )
      })
    }
    await session.release()
  }
}

const only = process.env.CAIRN_ONLY
for (const [i, item] of byteCases.entries())
  if (!only || item.name.includes(only)) test(item.name, () => check(item, i))

if (!only) {
  test('every kernel on bytes is run', () => {
    assert.equal(
      ofBytes.filter(name => !seen.has(name)),
      []
    )
  })
}

if (!only && backends.includes('webgpu'))
  // Dawn without a GPU checks everything and computes nothing.
  test('shaders are valid in half precision', async () => {
    const adapter = await (await openNullGpu()).requestAdapter()
    const device = await adapter!.requestDevice({ requiredFeatures: ['shader-f16'] })
    const executionProviders = [{ name: 'webgpu', device, precision: 'f16' }] as const
    for (const item of byteCases) {
      const random = new Random(item.name)
      const program = new ByteLayers(random).programOf(item)
      const session = await InferenceSession.create(encode(program, summary), { executionProviders })
      for (const bindings of item.bindings ?? [{}])
        await session.run(tensorsFor(program, bytesFor(program, random, bindings), bindings))
      await session.release()
    }
    device.destroy()
  })

test.run()
