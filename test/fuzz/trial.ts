// What becomes of a spoilt file: it is refused in one line, or it runs and what can be said of its results holds.

import { CompileError } from '../../compiler/errors.js'
import { compile } from '../../compiler/index.js'
import { kindOf } from '../../compiler/ops/elementwise/activation.js'
import { evaluate, freeName } from '../../runtime/file/dims.js'
import { decode } from '../../runtime/file/format.js'
import type { Header } from '../../runtime/file/header.js'
import { storedLength } from '../../runtime/file/program.js'
import { CairnError, FormatError, InferenceSession, Tensor } from '../../runtime/index.js'
import { applyPatch } from '../../train/merge.js'
import { type DType, sizeOf, typedArray } from '../support/onnx/model.js'
import type { Random } from '../support/random.js'
import type { Spoilt } from './files.js'
import type { Seed } from './seeds.js'

/** What a file of the fuzzer's may take: constants and arena, and steps of a run on the CPU path and of the reference. */
export const maxMemory = 2 ** 28
const maxWork = 2 ** 26
const maxReferenceWork = 2 ** 20
/** Elements of inputs, of outputs and of constants that are run. */
const largest = 2 ** 20

export const outcomes = [
  'refused when compiled',
  'refused when loaded',
  'refused when run',
  'loaded, too large to run',
  'ran',
  'ran as the reference does',
  'right as before'
] as const
export type Outcome = (typeof outcomes)[number]

class Refused extends Error {
  constructor(
    readonly outcome: Outcome,
    readonly reason: string
  ) {
    super(reason)
  }
}

/** Errors that are refusals end a trial well, all others are what the fuzzer looks for. */
async function stage<T>(outcome: Outcome, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const known = error instanceof CompileError || error instanceof CairnError || error instanceof FormatError
    if (!known) throw error
    if (/[\n\r]/.test(error.message) || error.message.length > 20_000) throw new Error(`refused with a strange text`)
    throw new Refused(outcome, error.message)
  }
}

export async function attempt(file: Spoilt): Promise<{ outcome: Outcome; reason: string }> {
  try {
    return { outcome: await examine(file), reason: '' }
  } catch (error) {
    if (error instanceof Refused) return { outcome: error.outcome, reason: error.reason }
    throw error
  }
}

async function examine({ kind, bytes, seed, same, random }: Spoilt): Promise<Outcome> {
  if (kind === 'patch') {
    const patched = await stage('refused when loaded', () => applyPatch(seed.bytes, bytes))
    const compiled = await stage('refused when compiled', () => compile(patched, { maxMemory }))
    return run(compiled, seed, random, false)
  }
  const compiling = (model: Uint8Array) => compile(model, { ...seed.options, externalData: dataOf(seed), maxMemory })
  const compiled = kind === 'onnx' ? await stage('refused when compiled', () => compiling(bytes)) : bytes
  const outcome = await run(compiled, seed, random, kind === 'onnx')
  if (!same) return outcome
  const before = kind === 'onnx' ? await compiling(seed.bytes) : seed.bytes
  await compare(compiled, before, seed, random)
  return 'right as before'
}

/** Only the file that the seed has may be read. */
function dataOf({ options }: Seed): (location: string) => Uint8Array {
  return location => {
    if (!options.externalData || location !== 'weights.bin') throw new CompileError(`there is no file "${location}"`)
    return options.externalData(location)
  }
}

type Feeds = Record<string, Tensor>
type Created = { readonly session: InferenceSession; readonly feeds: Feeds }

async function opened(file: Uint8Array, device: string, work: number): Promise<InferenceSession> {
  return InferenceSession.create(file, { executionProviders: [device], maxMemory, maxWork: work })
}

/** Inputs of the sizes that the seed runs at, 2 where it does not say. */
function feedsFor(session: InferenceSession, { bindings }: Seed, random: Random): Feeds | undefined {
  const feeds: Feeds = {}
  let elements = 0
  for (const { name, type, shape } of session.inputMetadata) {
    const dims = shape.map(size =>
      typeof size === 'number' ? size : (Object.entries(bindings).find(([key]) => key === size)?.[1] ?? 2)
    )
    elements += sizeOf(dims)
    if (!(elements <= largest)) return undefined
    const low = /^(u|bool)/.test(type) ? 0 : -2
    const data = Array.from({ length: sizeOf(dims) }, () =>
      type.startsWith('float') ? random.uniform(-2, 2) : random.int(low, type === 'bool' ? 1 : 2)
    )
    feeds[name] = new Tensor(type as DType, typedArray(type as DType, data), dims)
  }
  return feeds
}

/** Elements of constants and outputs, summed up. */
function resultsOf({ inputs, outputs, constants }: Header, feeds: Feeds): number {
  const bindings: Record<string, number> = Object.create(null)
  for (const { name, shape } of inputs)
    shape.forEach((dim, axis) => {
      const free = freeName(dim)
      if (free !== undefined) bindings[free] = feeds[name].dims[axis]
    })
  const sizes = outputs.map(({ shape }) => sizeOf(shape.map(dim => evaluate(dim, bindings))))
  return [...sizes, ...constants.map(storedLength)].reduce((a, b) => a + b, 0)
}

async function create(file: Uint8Array, seed: Seed, random: Random): Promise<Created> {
  const session = await stage('refused when loaded', () => opened(file, 'wasm', maxWork))
  const feeds = feedsFor(session, seed, random)
  if (feeds && resultsOf(decode(file).header, feeds) <= largest) return { session, feeds }
  await session.release()
  throw new Refused('loaded, too large to run', '')
}

async function run(file: Uint8Array, seed: Seed, random: Random, compiled: boolean): Promise<Outcome> {
  const { session, feeds } = await create(file, seed, random)
  const { header } = decode(file)
  try {
    const results = await stage('refused when run', () => session.run(feeds))
    checkSizes(results)
    const untouched = memoryOf(session, header)
    const again = await session.run(feeds)
    if (!untouched()) throw new Error('a run has written to what it may only read')
    checkSizes(again)
    if (!compiled) return 'ran'
    const expected = await reference(file, feeds)
    if (!expected || !isContinuous(header) || !hasSmallConstants(file, header)) return 'ran'
    agree(results, expected)
    return 'ran as the reference does'
  } finally {
    await session.release()
  }
}

function checkSizes(results: Readonly<Record<string, Tensor>>): void {
  for (const [name, { dims, data }] of Object.entries(results))
    if ((data as { length: number }).length !== sizeOf([...dims])) throw new Error(`output "${name}" is no [${dims}]`)
}

async function reference(file: Uint8Array, feeds: Feeds): Promise<Record<string, Tensor> | undefined> {
  try {
    const session = await opened(file, 'reference', maxReferenceWork)
    const results = await session.run(feeds)
    await session.release()
    return results
  } catch (error) {
    // Doubles take twice the memory, and the reference many times the time.
    if (error instanceof CairnError && /maxWork|are allowed/.test(error.message)) return undefined
    throw error
  }
}

async function compare(file: Uint8Array, before: Uint8Array, seed: Seed, random: Random): Promise<void> {
  const { session, feeds } = await create(file, seed, random)
  const old = await opened(before, 'wasm', maxWork)
  try {
    const [results, expected] = [await session.run(feeds), await old.run(feeds)]
    agree(results, expected)
  } finally {
    await Promise.all([session.release(), old.release()])
  }
}

/**
 * Beyond it numbers cancel each other, or leave the range of single precision, where the reference's doubles do not. A NaN among
 * weights meets the zeros of the padding on the CPU path, as in onnxruntime, and not in the reference.
 */
const largestCompared = 1e4

function hasSmallConstants(file: Uint8Array, { constants }: Header): boolean {
  return constants.every(({ stored, offset, bytes }) => {
    if (stored === 'f16') return true
    return new Float32Array(file.slice(offset, offset + bytes).buffer).every(
      value => Math.abs(value) <= largestCompared
    )
  })
}

/** Finite elements within a thousandth of the largest. */
function agree(results: Readonly<Record<string, Tensor>>, expected: Readonly<Record<string, Tensor>>): void {
  for (const [name, { data, dims }] of Object.entries(expected)) {
    if (results[name]?.dims.join() !== dims.join())
      throw new Error(`output "${name}" has dims [${results[name]?.dims}], not [${dims}]`)
    const wanted = Array.from(data as ArrayLike<number | bigint>, Number)
    const got = Array.from(results[name].data as ArrayLike<number | bigint>, Number)
    const scale = wanted.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0)
    if (scale > largestCompared || wanted.some(value => !Number.isFinite(value))) continue
    const at = wanted.findIndex((value, i) => !(Math.abs(got[i] - value) <= 1e-3 * Math.max(scale, 1)))
    if (at >= 0) throw new Error(`output "${name}": element ${at} is ${got[at]}, not ${wanted[at]}`)
  }
}

/** Kernels, activations and kinds of two numbers that jump: there a last bit decides much. */
const jumps = new Set(['argmax', 'where', 'gather', 'resizeAxis', 'resizePlane', 'dropout', 'reduce'])
const smooth = kindOf('abs')
const lastSmoothKind = 6

function isContinuous({ calls, kernels }: Header): boolean {
  return calls.every(({ kernel, parameters }) => {
    const { name, fields } = kernels[kernel]
    if (name === 'unary') return Number(parameters[fields.length - 3]) < smooth
    if (name === 'binary')
      return Number(parameters[fields.length - 4]) <= lastSmoothKind && parameters[fields.length - 4] !== 3
    return !jumps.has(name)
  })
}

/** Looks again, when it is asked, at all in front of the arena that no run may change: page 0, blocks, constants. */
function memoryOf(session: InferenceSession, { states }: Header): () => boolean {
  const { memory, layout } = (
    session as unknown as { executor: { memory: WebAssembly.Memory; layout: { arena: number } } }
  ).executor
  if (states.length) return () => true
  const statics = [8192, 8192 + 3072]
  const look = () => {
    const bytes = Buffer.from(new Uint8Array(memory.buffer, 0, layout.arena).slice())
    return bytes.fill(0, statics[0], statics[1])
  }
  const before = look()
  return () => before.equals(look())
}
