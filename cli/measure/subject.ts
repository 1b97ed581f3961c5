import type { Graph } from '../../compiler/graph/index.js'
import { build, type CompileOptions } from '../../compiler/index.js'
import { type Bindings, encode, evaluate } from '../../runtime/file/index.js'
import { compare, type Difference } from '../device/index.js'
import { toNumbers } from '../model/index.js'
import { InputError, oneLine } from '../terminal/index.js'
import {
  type Engine,
  type EngineName,
  type EngineOptions,
  type Feed,
  type Opened,
  type Output,
  packagesOf
} from './engine.js'
import { importEngine } from './engines.js'
import { convert } from './tfjs/convert.js'

/** A model with inputs of fixed sizes, ready for every engine. */
export interface Subject {
  readonly name: string
  /** The compiled file, what Cairn loads. */
  readonly file: Uint8Array
  /** What it was compiled from; without it there is nothing that a peer could run. */
  readonly source?: { readonly onnx: Uint8Array; readonly graph: Graph }
  readonly bindings: Bindings
  readonly feeds: readonly Feed[]
  /** Inputs of the source that are constants of the file. */
  readonly settings?: readonly Feed[]
  /** Multiply-accumulates of a run. */
  readonly macs: number
}

/** A subject from ONNX bytes; the inputs are noise from -1 to 1. */
export function subjectOf(
  name: string,
  onnx: Uint8Array,
  bindings: Bindings = {},
  options: CompileOptions = {}
): Subject {
  const { graph, program, summary } = build(onnx, options)
  const feeds = program.inputs.map(({ name, dtype, shape }): Feed => {
    const dims = shape.map(dim => evaluate(dim, bindings))
    const data = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => Math.random() * 2 - 1)
    return { name, type: dtype, dims, data }
  })
  const macs = evaluate(program.macs, bindings)
  return { name, file: encode(program, summary), source: { onnx, graph }, bindings, feeds, macs }
}

/** What `engine` is fed: onnxruntime with the model's settings as well. */
export const feedsFor = (engine: EngineName, { feeds, settings = [] }: Subject): readonly Feed[] =>
  engine.startsWith('ort') ? [...feeds, ...settings] : feeds

/** The bytes that `engine` loads. */
export function modelFor(engine: EngineName, { name, file, source, bindings }: Subject): Uint8Array {
  if (engine === 'cairn') return file
  if (!source) throw new InputError(`${name} is compiled; peers take the ONNX model`)
  return engine === 'tfjs' ? convert(source.graph, bindings) : source.onnx
}

/** The engine, or one line that names the package to install. */
export async function findEngine(name: EngineName): Promise<Engine> {
  try {
    return await importEngine(name)
  } catch (error) {
    if (name === 'cairn') throw error
    const { code, message } = error as NodeJS.ErrnoException
    const missing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
    const packages = packagesOf[name].join(' ')
    throw new InputError(
      `${name} ${missing ? 'is not installed' : `does not load (${message.split('\n')[0]})`}: npm i ${packages}`
    )
  }
}

/** Loads the subject on an engine; a refusal says whose it is. */
export async function openOn(name: EngineName, subject: Subject, options: EngineOptions): Promise<Opened> {
  const engine = await findEngine(name)
  const model = modelFor(name, subject)
  try {
    return await engine.open(model, feedsFor(name, subject), options)
  } catch (error) {
    if (name === 'cairn') throw error
    throw new InputError(`${name} refuses ${subject.name}: ${(error as Error).message.split('\n')[0]}`)
  }
}

/** The output that differs most. */
export function worstOf(ours: readonly Output[], theirs: readonly Output[]): Difference {
  const values = ({ dims, type, data }: Output) => ({ dims, data: toNumbers({ type, data }) })
  const differences = ours.map(output => {
    const other = theirs.find(({ name }) => name === output.name)
    if (!other) throw new InputError(`output "${output.name}" is missing on the other side`)
    return compare(output.name, values(output), values(other))
  })
  return differences.reduce((worst, next) => (next.relative > worst.relative ? next : worst))
}

export interface Checked {
  readonly opened: Opened
  /** Against the expected outputs, over the largest value. */
  readonly error: number
}

/** A peer that has run the subject once and computed the same; or in a line why there is none. */
export async function openChecked(
  name: EngineName,
  subject: Subject,
  options: EngineOptions,
  expected: readonly Output[],
  tolerance: number
): Promise<Checked | string> {
  const opened = await orReason(() => openOn(name, subject, options))
  if (typeof opened === 'string') return opened
  try {
    const { relative } = worstOf(expected, await opened.run())
    if (relative <= tolerance) return { opened, error: relative }
    await opened.release()
    return `its outputs differ by ${relative.toExponential(1)} of their maximum`
  } catch (error) {
    return `it fails: ${(error as Error).message.split('\n')[0]}`
  }
}

/** What a peer cannot do is no failure of the whole comparison: its reason stands where its figures would. */
export async function orReason<T>(work: () => Promise<T>): Promise<T | string> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof InputError) return oneLine(error)
    throw error
  }
}
