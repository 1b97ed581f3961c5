// A model as a module of its own beside its session: the same bits, and how large it is.

import { gzipSync } from 'node:zlib'
import { CompileError } from '../../../compiler/errors.js'
import { build } from '../../../compiler/index.js'
import { type Features, type Standalone, standaloneOf } from '../../../compiler/standalone/index.js'
import { standalone } from '../../../compiler/standalone/make.js'
import { sectionsOf } from '../../../compiler/standalone/wasm/sections.js'
import { floatToHalf, halfToFloat } from '../../../runtime/base/index.js'
import { type Bindings, encode, type Program, storedLength, widthOf } from '../../../runtime/file/index.js'
import { env, InferenceSession, type Tensor } from '../../../runtime/index.js'
import { instantiate, type StandaloneModel, type StandaloneResult } from '../../../runtime/standalone.js'
import { fromFloats } from '../../../runtime/tensor/index.js'
import type { Random } from '../random.js'

export interface Trial {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly metadata: Standalone
  /** Bytes of the functions, gzipped. */
  readonly code: number
  /** Bytes of the weights as they are stored. */
  readonly weights: number
  /** The first output that is another than the session's; undefined where none is. */
  readonly differs: string | undefined
}

export const weightsOf = ({ constants }: Program) =>
  constants.reduce((sum, each) => sum + storedLength(each) * widthOf(each.stored), 0)

/** Batches of 1, and of the usual sizes the first that the model takes. */
export async function moduleWithSomeSizes(
  program: Program,
  features: Features,
  sizes: readonly number[] = [64, 224, 320]
): Promise<{ bytes: Uint8Array<ArrayBuffer>; dims: Bindings }> {
  const batches = new Set(program.inputs.map(({ shape: [batch] }) => JSON.stringify(batch)))
  const nameOf = (name: string) => JSON.stringify({ terms: [{ factor: 1, atoms: [{ op: 'free', name }] }] })
  const [size, ...others] = sizes
  const dims = Object.fromEntries(program.free.map(name => [name, batches.has(nameOf(name)) ? 1 : size]))
  try {
    return { bytes: (await standalone(program, { dims, features })) as Uint8Array<ArrayBuffer>, dims }
  } catch (error) {
    if (!others.length || !(error instanceof CompileError)) throw error
    return moduleWithSomeSizes(program, features, others)
  }
}

/** Fresh feeds for a module, as its loader takes them and as sessions do. */
export function drawFeeds({ inputs }: Standalone, random: Random) {
  const floats = inputs.map(({ type, length }) =>
    Float32Array.from({ length }, () => {
      const value = type.startsWith('float') ? random.uniform(-1, 1) : random.int(0, 1)
      return type === 'float16' ? halfToFloat(floatToHalf(value)) : value
    })
  )
  const tensors = inputs.map(({ name, type, shape }, i) => [name, fromFloats(type, floats[i], shape)] as const)
  return {
    own: Object.fromEntries(inputs.map(({ name }, i) => [name, floats[i]])),
    session: Object.fromEntries(tensors)
  }
}

/** Runs both, the module on memory that a run on NaN has left. */
export async function trialOf(model: Uint8Array, random: Random, features: Features, options = {}): Promise<Trial> {
  const { program, summary } = build(model, options)
  const { bytes } = await moduleWithSomeSizes(program, features)
  const metadata = standaloneOf(bytes)!
  const own = await instantiate(bytes)
  poison(own)
  const feeds = drawFeeds(metadata, random)
  const found = own.run(feeds.own)
  const { binary } = env.wasm
  env.wasm.binary = features === 'relaxed' ? 'relaxed' : 'simd'
  const session = await InferenceSession.create(encode(program, summary), {
    executionProviders: ['wasm'],
    numThreads: 1
  })
  env.wasm.binary = binary
  const wanted = await session.run(feeds.session)
  await session.release()
  const differs = session.outputNames.find(name => !same(found[name], wanted[name]))
  const code = gzipSync(sectionsOf(bytes).find(({ id }) => id === 10)!.bytes, { level: 9 }).length
  return { bytes, metadata, code, weights: weightsOf(program), differs }
}

function poison({ inputs, exports }: StandaloneModel): void {
  for (const { type, at, length } of inputs)
    new Float32Array(exports.memory.buffer, at, length).fill(type.startsWith('float') ? Number.NaN : 0)
  exports.run()
}

function same(a: StandaloneResult, { type, dims, data }: Tensor): boolean {
  const own = type === 'float16' ? fromFloats(type, a.data as Float32Array, a.dims).data : a.data
  if (a.dims.join() !== dims.join() || a.type !== type) return false
  const bytesOf = (each: ArrayBufferView) => Buffer.from(each.buffer, each.byteOffset, each.byteLength)
  return bytesOf(own as ArrayBufferView).equals(bytesOf(data as ArrayBufferView))
}
