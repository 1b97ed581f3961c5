import { digest } from '../../runtime/base/index.js'
import { type Bindings, evaluate, type Golden, type Program } from '../../runtime/file/index.js'
import { bindingsOf, refuseLarge } from './bind.js'
import { addCheck } from './check.js'
import { addCommand } from './command.js'
import { addComponent, componentOf } from './component.js'
import { type Body, Emitter } from './emit.js'
import { type Features, kernelsOf, withOwnMemory } from './kernels.js'
import { type Loading, loadingOf } from './load.js'
import { encodeMetadata, portsOf, type Standalone, sectionName, version } from './metadata.js'
import { placeModel } from './place.js'
import {
  customSection,
  dataSections,
  ids,
  joined,
  memorySection,
  moduleOf,
  pageBytes,
  type Section,
  type Segment,
  sectionsOf,
  segmentsOf,
  withoutZeros,
  withSections
} from './wasm/sections.js'
import { readBy } from './wasm/statics.js'
import type { Node } from './wasm/text.js'

/** How a program becomes a module. */
export interface StandaloneOptions {
  /** Values of the free dimensions, all of them. */
  readonly dims?: Bindings
  /** Which SIMD the module may use: what every engine has, by default, or relaxed SIMD as well. */
  readonly features?: Features
  /** Puts a self-check inside. */
  readonly golden?: Golden
  /** Makes a command of WASI besides. */
  readonly wasi?: boolean
  /** Makes a component of the Component Model, with the module inside. */
  readonly component?: boolean
  /** Bytes of memory that the module may need; default and most 4 GiB, which is what 32-bit addresses reach. */
  readonly maxMemory?: number
}

/** A program as one WebAssembly module (docs/standalone.md). Throws CompileError, one line, for what it cannot be. */
export async function standalone(program: Program, options: StandaloneOptions = {}): Promise<Uint8Array> {
  const { features = 'plain', golden, wasi, component } = options
  const bindings = bindingsOf(program, options)
  const places = placeModel(program, bindings)
  const { inputs, outputs, faults } = portsOf(program, places, bindings)
  const calls = outputs.every(({ length }) => !length) ? [] : program.calls
  const loading = loadingOf(program, calls, places)
  const body: Body = { program, bindings, places, loading, inputs, outputs }
  const { module, first } = withOwnMemory(await kernelsOf(features), loading.aside.length)
  const emitter = new Emitter(module, first)
  const begin = emitter.addInit(body)
  const run = [
    ...begin(),
    ...emitter.programCalls(body),
    ...faults.map(({ at }, i) => emitter.ifTrue(emitter.load(at), i + 1)),
    emitter.i32(0)
  ]
  emitter.add('run', run, emitter.number)
  inputs.forEach((port, i) => {
    emitter.port(`input_${i}`, port)
  })
  outputs.forEach((port, i) => {
    emitter.port(`output_${i}`, port)
  })
  const tables = [
    ...(golden ? [addCheck(emitter, body, golden, begin())] : []),
    ...(wasi ? addCommand(emitter, body) : []),
    ...(component ? addComponent(emitter, body, faults) : [])
  ]
  const { bytes, text } = emitter.finish(body)
  const sections = sectionsOf(bytes)
  const data = dataSections([
    ...keptOf(sections, text, loading),
    ...joined([...loading.direct, ...tables]).flatMap(withoutZeros)
  ])
  const memory = Math.ceil(places.end() / pageBytes)
  refuseLarge(memory * pageBytes, bindings, options)
  const metadata: Standalone = {
    version,
    name: program.name,
    features,
    inputs,
    outputs,
    faults: faults.map(({ text }) => text),
    dims: bindings,
    parameters: program.parameters,
    macs: evaluate(program.macs, bindings),
    kernels: kernelCounts(program),
    memory: memory * pageBytes,
    arena: places.plan.bytes,
    digest: digest(data[1].bytes),
    ...(golden ? { golden: program.calls.map(({ node }) => node) } : {})
  }
  const made = moduleOf([
    customSection(sectionName, encodeMetadata(metadata)),
    ...withSections(sections, [memorySection(memory, component), ...data])
  ])
  return component ? componentOf(made, metadata) : made
}

/** Of what Binaryen had as data the kernels' constants that are read, and what lies aside, in the order of the numbers. */
function keptOf(sections: readonly Section[], text: Node[], { aside }: Loading): Segment[] {
  const data = sections.find(({ id }) => id === ids.data)
  const held = data ? segmentsOf(data) : []
  const numbered = held.filter(({ at }) => at === undefined)
  const statics = held.filter((each): each is Segment & { at: number } => each.at !== undefined)
  const bytesOf = ({ bytes }: Segment) => aside[new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)]
  // What lies aside is known by its number among all segments, so those in front of it stay, if empty.
  const read = new Set(readBy(text, statics))
  const kept = statics.flatMap(each =>
    read.has(each) ? [each] : numbered.length ? [{ at: each.at, bytes: each.bytes.subarray(0, 0) }] : []
  )
  return [...kept, ...numbered.map(each => ({ bytes: bytesOf(each) }))]
}

function kernelCounts({ calls, kernels }: Program): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { kernel } of calls) counts[kernels[kernel].name] = (counts[kernels[kernel].name] ?? 0) + 1
  return counts
}
