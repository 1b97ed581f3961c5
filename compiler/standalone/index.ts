import { digest } from '../../runtime/base/index.js'
import { type Bindings, evaluate, type Program } from '../../runtime/file/index.js'
import { Emitter } from './emit.js'
import { type Features, kernelsOf, withOwnMemory } from './kernels.js'
import { loadingOf } from './load.js'
import { encodeMetadata, portsOf, type Standalone, sectionName, version } from './metadata.js'
import { placeModel } from './place.js'
import {
  customSection,
  dataSections,
  ids,
  memorySection,
  moduleOf,
  pageBytes,
  sectionsOf,
  segmentsOf,
  withSections
} from './sections.js'

export interface StandaloneOptions {
  readonly features?: Features
  readonly dims?: Bindings
}

export async function standalone(program: Program, options: StandaloneOptions = {}): Promise<Uint8Array> {
  const { features = 'plain', dims = {} } = options
  const places = placeModel(program, dims)
  const loading = loadingOf(program, places)
  const { module, first } = withOwnMemory(await kernelsOf(features), loading.aside.length)
  const body = { program, bindings: dims, places, loading }
  const emitter = new Emitter(module, first)
  const blocks = emitter.blocks(body)
  const { inputs, outputs, faults } = portsOf(program, places, dims)
  const ready = emitter.flag('ready')
  if (loading.steps.length)
    emitter.add('init', [
      emitter.if(
        emitter.not(ready.isOn()),
        emitter.block([ready.turnOn(), ...loading.steps.map(step => emitter.step(step, body))])
      )
    ])
  emitter.add('run', [
    ...(loading.steps.length ? [emitter.own('init')] : []),
    ...program.calls.map((_, i) => emitter.programCall(i, body)),
    ...faults.map(({ at }, i) => emitter.if(emitter.load(at), emitter.returned(i + 1))),
    emitter.i32(0)
  ], { type: 2 })
  inputs.forEach((port, i) => emitter.port(`input_${i}`, port))
  outputs.forEach((port, i) => emitter.port(`output_${i}`, port))
  const sections = sectionsOf(emitter.finish(blocks))
  const data = sections.find(({ id }) => id === ids.data)
  const held = data ? segmentsOf(data) : []
  const own = held.filter(({ at }) => at !== undefined)
  const aside = held.filter(({ at }) => at === undefined).map(({ bytes }) => ({ bytes: loading.aside[new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)] }))
  const segments = dataSections([...own, ...aside, ...loading.direct, ...emitter.data])
  const memory = Math.ceil(Math.max(places.end(), loading.end) / pageBytes)
  const kernels: Record<string, number> = {}
  for (const { kernel } of program.calls) kernels[program.kernels[kernel].name] = (kernels[program.kernels[kernel].name] ?? 0) + 1
  const metadata: Standalone = {
    version, name: program.name, features, inputs, outputs, faults: faults.map(({ text }) => text), dims,
    parameters: program.parameters, macs: evaluate(program.macs, dims), kernels, memory: memory * pageBytes, arena: places.plan.bytes,
    digest: digest(segments[1].bytes)
  }
  return moduleOf([customSection(sectionName, encodeMetadata(metadata)), ...withSections(sections, [memorySection(memory), ...segments])])
}
