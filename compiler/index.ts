import { registerBackend, registerCompiler } from '../runtime/backend/index.js'
import { encode } from '../runtime/file/index.js'
import { build, type CompileOptions } from './build.js'
import { goldenOf, referenceBackend } from './lower/index.js'
import { besides, fetchExternal } from './onnx/index.js'

export { type Built, build, buildGraph, type CompileOptions, type KernelChoice, passNames } from './build.js'
export { CompileError } from './errors.js'
export type { GoldenOptions, LayerInfo, MemoryPlan, PlannedStorage } from './lower/index.js'
export { type CallInfo, type Inspection, inspect, type PortInfo } from './lower/index.js'
export { type FileKind, kindOf } from './onnx/index.js'

/** As for `build`, with external data that may have to be fetched. */
export interface FetchingOptions extends Omit<CompileOptions, 'externalData'> {
  /** Contents of an external data file by the location that the model names. */
  readonly externalData?: (location: string) => Uint8Array | Promise<Uint8Array>
}

/** Compiles ONNX bytes to a .cairn file. Throws CompileError, one line, for what cannot be compiled. */
export async function compile(bytes: Uint8Array, options: FetchingOptions = {}): Promise<Uint8Array> {
  const { golden, externalData } = options
  const { program, summary } = build(bytes, {
    ...options,
    externalData: externalData && (await fetchExternal(bytes, externalData))
  })
  if (!golden) return encode(program, summary)
  return encode(program, { ...summary, golden: goldenOf(program, golden === true ? {} : golden) })
}

registerBackend(referenceBackend)
registerCompiler((bytes, { maxMemory, place, read, externalData }) => {
  const own = place && !/^(data|blob):/.test(place)
  const beside = own && read ? (location: string) => read(besides(place, location)) : undefined
  return compile(bytes, { maxMemory, externalData: externalData ?? beside })
})
