import { registerBackend, registerCompiler } from '../runtime/backend/index.js'
import { encode } from '../runtime/file/index.js'
import { type Late, LateSession } from '../runtime/late/index.js'
import { build, type CompileOptions } from './build.js'
import { emitter } from './emitter.js'
import { CompileError } from './errors.js'
import { goldenOf, referenceBackend } from './lower/index.js'
import { besides, declaredPorts, fetchExternal } from './onnx/index.js'
import { type QuantiseOptions, quantise } from './quantise/index.js'
import { checkTarget, type TargetOptions } from './target.js'

export {
  type Built,
  build,
  buildGraph,
  type CompileOptions,
  type KernelChoice,
  passNames,
  type Weights
} from './build.js'
export { type ConvertOptions, convert } from './convert/index.js'
export { CompileError } from './errors.js'
export type { GoldenOptions, LayerInfo, MemoryPlan, PlannedStorage } from './lower/index.js'
export { type CallInfo, type Inspection, inspect, type PortInfo } from './lower/index.js'
export { type FileKind, kindOf, type Settings, type SettingTensor, type SettingValue } from './onnx/index.js'
export {
  type Feed,
  type FeedTensor,
  type LayerReport,
  type QuantiseOptions,
  type QuantiseReport,
  quantise,
  type TensorReport
} from './quantise/index.js'
export type { TargetOptions } from './target.js'

/** As for `build`, with external data that may have to be fetched, and with data to quantise by. */
export interface FetchingOptions
  extends Omit<CompileOptions, 'externalData'>,
    Pick<QuantiseOptions, 'calibrate' | 'keep' | 'budget' | 'weightBits' | 'onRun' | 'onReport'>,
    TargetOptions {
  /** Contents of an external data file by the location that the model names. */
  readonly externalData?: (location: string) => Uint8Array | Promise<Uint8Array>
}

/**
 * Compiles ONNX bytes to a .cairn file, or with target wasm to a module of its own. With weights int8 and `calibrate` the model is quantised first (`quantise`), and its layers
 * compute with bytes; without `calibrate` weights alone are. Throws CompileError, one line, for what cannot be compiled.
 */
export async function compile(bytes: Uint8Array, options: FetchingOptions = {}): Promise<Uint8Array> {
  const { golden, externalData, calibrate, weights } = options
  checkTarget(options)
  if (calibrate !== undefined) {
    if (weights !== 'int8')
      throw new CompileError(`calibrate is of no use with weights ${weights ?? 'f32'}; int8 is allowed`)
    const quantised = await quantise(bytes, options)
    const done = { weights: undefined, calibrate: undefined, externalData: undefined, settings: undefined }
    return compile(quantised, { ...options, ...done })
  }
  const { program, summary } = build(bytes, {
    ...options,
    externalData: externalData && (await fetchExternal(bytes, externalData))
  })
  if (options.target === 'wasm') {
    const { standaloneFrom } = await emitter()
    return standaloneFrom(program, options)
  }
  if (!golden) return encode(program, summary)
  return encode(program, { ...summary, golden: goldenOf(program, golden === true ? {} : golden) })
}

registerBackend(referenceBackend)
registerCompiler(async (bytes, { maxMemory, place, read, externalData }) => {
  const own = place && !/^(data|blob):/.test(place)
  const beside = own && read ? (location: string) => read(besides(place, location)) : undefined
  const options = { maxMemory, externalData: externalData ?? beside }
  try {
    return await compile(bytes, options)
  } catch (error) {
    const late = error instanceof CompileError && error.mayWait && lateModel(bytes, error.message, options)
    throw late ? Object.assign(error, { late }) : error
  }
})

/** What makes a session of a model that is compiled for what its runs bring. */
function lateModel(bytes: Uint8Array, why: string, options: FetchingOptions) {
  const { inputs, outputs, settings } = declaredPorts(bytes)
  const late: Late = {
    inputs: inputs.map(({ name, dtype = '', shape = [] }) => {
      return { name, type: dtype, shape: shape.map(({ size, name }) => size ?? name ?? '') }
    }),
    outputNames: outputs.map(({ name }) => name),
    settings,
    why,
    compile: asked => compile(bytes, { ...options, ...asked })
  }
  return (...given: [Create, Options]) => new LateSession(late, ...given)
}
type Create = ConstructorParameters<typeof LateSession>[1]
type Options = ConstructorParameters<typeof LateSession>[2]
