import {
  type Bindings,
  cutsOf,
  evaluate,
  outOfRange,
  type Program,
  resultsOf,
  type StandalonePort
} from '../../runtime/file/index.js'
import { type Places, portAt } from './place.js'
import { moduleIn } from './wasm/component.js'
import { customOf } from './wasm/sections.js'

/** The custom section that tells what a module holds, as JSON in UTF-8, in front of everything else. */
export const sectionName = 'cairn'

/** The version of what a module exports and of this section. */
export const version = 1

export type { StandalonePort }

/** What a model that is a WebAssembly module of its own says of itself. */
export interface Standalone {
  /** Version of the section. */
  readonly version: number
  /** The graph's name. */
  readonly name: string
  /** Which SIMD it needs. */
  readonly features: 'plain' | 'relaxed'
  /** In the order of the model. */
  readonly inputs: readonly StandalonePort[]
  /** In the order of the model. */
  readonly outputs: readonly StandalonePort[]
  /** What a run has met that returns 1 and more. */
  readonly faults: readonly string[]
  /** Values of the dimensions that were free. */
  readonly dims: Bindings
  /** Weights of the model. */
  readonly parameters: number
  /** Multiply-accumulates of a run. */
  readonly macs: number
  /** Calls of kernels in a run, by name. */
  readonly kernels: Readonly<Record<string, number>>
  /** Bytes of memory. */
  readonly memory: number
  /** Bytes that the arena takes of it. */
  readonly arena: number
  /** Of the data section, weights above all, as .cairn files have it of theirs. */
  readonly digest: number
  /** With a self-check, the nodes of its layers by number. */
  readonly golden?: readonly string[]
}

const arrays: Readonly<Record<string, string>> = {
  float16: 'Float32',
  bool: 'Uint8',
  int64: 'BigInt64',
  uint64: 'BigUint64'
}

/** `Int32Array` for int32. */
export const arrayOf = (type: string) =>
  `${arrays[type] ?? type.replace(/^u?./, start => (start.length > 1 ? `U${start[1]}` : start.toUpperCase()))}Array`

export function portsOf(program: Program, places: Places, bindings: Bindings) {
  const results = resultsOf(program).map(port => portAt(port, places, bindings))
  const described = ({ name, dtype }: Program['inputs'][number], { at, length, shape }: (typeof results)[number]) => ({
    name,
    type: dtype,
    array: arrayOf(dtype),
    shape,
    at,
    length
  })
  const inputs = program.inputs.map((port): StandalonePort => described(port, portAt(port, places, bindings)))
  const outputs = program.outputs.map((port, i): StandalonePort => {
    const stepOf = (axis: number) => results[i].shape.slice(axis + 1).reduce((a, b) => a * b, 1)
    const cuts = cutsOf(program, i)
      .map(({ axis, result }) => [axis, results[result].at, stepOf(axis)] as const)
      .sort(([a], [b]) => a - b)
    return { ...described(port, results[i]), ...(cuts.length ? { cuts } : {}) }
  })
  const behind = results.length - program.faults.length
  const faults = program.faults.map(({ of, axis, size }, i) => ({
    at: results[behind + i].at,
    text: outOfRange(of, 0, axis, evaluate(size, bindings)).replace(/ 0 is/, ' is')
  }))
  return { inputs, outputs, faults }
}

export const encodeMetadata = (metadata: Standalone) => new TextEncoder().encode(JSON.stringify(metadata))

/** What a module, or the one in a component, says of itself; undefined where it is no model. Its beginning is enough. */
export function standaloneOf(module: Uint8Array): Standalone | undefined {
  const bytes = customOf(moduleIn(module) ?? module, sectionName)
  if (!bytes) return undefined
  try {
    const parsed = JSON.parse(new TextDecoder().decode(bytes))
    return parsed?.version === version && Array.isArray(parsed.inputs) ? parsed : undefined
  } catch {
    return undefined
  }
}
