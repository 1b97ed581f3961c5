import { type Built, build, type CompileOptions } from '../../compiler/index.js'
import { type WithConstants, weightBytes } from '../../compiler/lower/index.js'
import { passes } from '../../compiler/passes/index.js'
import {
  type Bindings,
  type CairnFile,
  cutsOf,
  decode,
  decodeHead,
  encode,
  evaluate,
  freeName,
  type Header,
  type Outcome,
  type Port,
  type Program,
  planProgram,
  type Stored,
  show
} from '../../runtime/file/index.js'
import { InferenceSession, type SessionOptions } from '../../runtime/index.js'
import { InputError, oneLine, Progress, UsageError } from '../terminal/index.js'
import { type Given, importOf, type ModelFile, patched, readModel, withGiven } from './files.js'

/** From a model's path to its graph, its .cairn bytes or a session; failures name the file. */
export interface BuiltModel extends Built {
  readonly passes: readonly PassReport[]
}

export interface PassReport {
  readonly name: string
  readonly did: string | undefined
  /** Nodes that are left behind it. */
  readonly nodes: number
}

/** Runs `step`; what it refuses is said of `path`. */
export async function about<T>(path: string, step: () => T | Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    const line = oneLine(error)
    throw error instanceof UsageError || line.includes(path) ? error : new InputError(`${path}: ${line}`)
  }
}

/** Compiles the ONNX file with everything in the model's own folder at hand. */
export function buildModel(model: ModelFile, options: CompileOptions = {}): Promise<BuiltModel> {
  const progress = new Progress(passes.length + 1)
  const done: PassReport[] = []
  return about(model.path, () => {
    try {
      const built = build(model.bytes, {
        ...importOf(model),
        ...options,
        onPass: (name, did, text, nodes) => {
          options.onPass?.(name, did, text, nodes)
          done.push({ name, did, nodes })
          progress.step(done.length, name)
        }
      })
      return { ...built, passes: done }
    } finally {
      progress.stop()
    }
  })
}

/** The model as a .cairn file, compiled when it is not one yet. */
export async function fileOf(model: ModelFile, weights?: Stored, maxMemory?: number): Promise<Uint8Array> {
  if (model.kind === 'cairn') return model.bytes
  const { program, summary } = await buildModel(model, { weights, maxMemory })
  return encode(program, summary)
}

/** The header of a compiled file, of which the weights may be missing, and the bytes of the whole. */
export function headOf({ path, bytes }: ModelFile): Promise<{ header: Header; length: number }> {
  return about(path, () => decodeHead(bytes))
}

export function decodeModel({ path, bytes }: ModelFile): Promise<CairnFile> {
  return about(path, () => decode(bytes))
}

export async function openSession(
  path: string,
  options: SessionOptions,
  patch?: string,
  given: Given = {}
): Promise<{ session: InferenceSession; header: Header }> {
  const model = withGiven(await patched(readModel(path), patch), given)
  if (model.kind === 'cairn') await decodeModel(model)
  const bytes = await fileOf(model, undefined, options.maxMemory)
  const session = await about(path, () => InferenceSession.create(bytes, options))
  return { session, header: decode(bytes).header }
}

type Sizes = Pick<Program, 'free' | 'inputs'>

const roles = ['N', 'C', 'H', 'W']

/** A free dimension's usual letter, from the axis that it is of an image input. */
function roleOf(name: string, { inputs }: Sizes): string {
  for (const { shape } of inputs) {
    const axis = shape.findIndex(dim => freeName(dim) === name)
    if (axis === 0) return 'N'
    if (axis > 0 && shape.length === 4) return roles[axis]
  }
  return name
}

/** N before H before W before whatever else. */
function byRole(program: Sizes): string[] {
  const rank = (name: string) => roles.indexOf(roleOf(name, program)) + 1 || roles.length + 1
  return [...program.free].sort((a, b) => rank(a) - rank(b))
}

/**
 * Values for all free dimensions: those given (by name, or as N, H, W whatever the model calls them), else 1 for a
 * batch and 64 for anything else.
 */
export function bindDims(
  program: Sizes,
  given: readonly (readonly [string, string])[] = [],
  flag = '--dims'
): Bindings {
  const bindings: Record<string, number> = {}
  for (const name of byRole(program)) bindings[name] = roleOf(name, program) === 'N' ? 1 : 64
  for (const [name, text] of given) {
    const named = program.free.filter(free => free === name)
    const found = named.length ? named : program.free.filter(free => roleOf(free, program) === name)
    if (!found.length)
      throw new InputError(
        `${flag} ${name}=${text}: ${program.free.length ? `free are ${describeFree(program)}` : 'the model has no free dimension'}`
      )
    const size = Number(text)
    if (!Number.isSafeInteger(size) || size < 0)
      throw new UsageError(`${flag} ${name}=${text}: a whole number of at least 0 is allowed`)
    for (const free of found) bindings[free] = size
  }
  return bindings
}

export function describeFree(program: Sizes): string {
  return byRole(program)
    .map(name => (roleOf(name, program) === name ? name : `${name} (${roleOf(name, program)})`))
    .join(', ')
}

/** `N=1, H=64` for messages; `static shapes` without free dimensions. */
export function describeBindings(bindings: Bindings): string {
  const entries = Object.entries(bindings).map(([name, value]) => `${name}=${value}`)
  return entries.join(', ') || 'static shapes'
}

export function shapeAt(port: Port, bindings: Bindings): number[] {
  return port.shape.map(dim => evaluate(dim, bindings))
}

export const describePort = (port: Port): string => described(port, [])

function described({ name, dtype, shape }: Port, cut: readonly number[]): string {
  const sizes = shape.map((dim, axis) => (cut.includes(axis) ? `≤${show(dim)}` : show(dim)))
  return `"${name}" ${dtype}[${sizes.join('×')}]`
}

/** Outputs, with the most there can be of what only a run finds. */
export function describeOutputs(program: Outcome): string[] {
  return program.outputs.map((port, i) =>
    described(
      port,
      cutsOf(program, i).map(({ axis }) => axis)
    )
  )
}

export interface MemoryNeed {
  readonly arena: number
  readonly lowerBound: number
  /** Bytes of what lies beside the arena: constants that calls read, and what setup derives from others. */
  readonly weights: number
}

export function memoryOf(program: WithConstants, bindings: Bindings): MemoryNeed {
  const { bytes: arena, lowerBound } = planProgram(program, bindings)
  return { arena, lowerBound, weights: weightBytes(program) }
}
