import { kindOf } from '../../compiler/onnx/index.js'
import { moduleIn, type Standalone, type StandalonePort, standaloneOf } from '../../compiler/standalone/index.js'
import type { Port, Program } from '../../runtime/file/index.js'
import type { Feeds, InferenceSession, Results } from '../../runtime/index.js'
import { instantiate, type StandaloneModel } from '../../runtime/standalone.js'
import { fromFloats } from '../../runtime/tensor/index.js'
import { isUrl, readBytes, readFirst, toNumbers } from '../model/index.js'
import { type Flags, InputError, longName, type Option, oneLine } from '../terminal/index.js'

/** A model that is a WebAssembly module of its own, as the commands meet it. */
export interface ModelModule {
  readonly path: string
  readonly bytes: Uint8Array<ArrayBuffer>
  /** The same, or of a component what is inside. */
  readonly module: Uint8Array<ArrayBuffer>
  readonly metadata: Standalone
}

/** The module at `path`; undefined where the file is something else. Throws InputError for a module that is no model. */
export function moduleAt(path: string): ModelModule | undefined {
  if (isUrl(path)) return undefined
  // A model may be large, and is read again as what it is.
  if (kindOf(readFirst(path, 4, 'model'))?.name !== 'wasm') return undefined
  const bytes = readBytes(path, 'model') as Uint8Array<ArrayBuffer>
  const metadata = standaloneOf(bytes)
  if (!metadata)
    throw new InputError(`${path} is a WebAssembly module, but no model; cairn compile -o writes such ones`)
  return { path, bytes, module: (moduleIn(bytes) as typeof bytes) ?? bytes, metadata }
}

/** The number of the error ENOSYS in WASI. */
const notSupported = 52

/** A module is what it is: flags that say how a model is compiled, or where it runs, are refused. */
export function refuseFlags(flags: Flags, path: string, ...options: readonly (Option | string)[]): void {
  const names = options.map(option => (typeof option === 'string' ? option : longName(option)))
  flags.refuse(names, `for ${path}, which is a WebAssembly module and runs as it is`)
}

/** The module in this engine; what a command of WASI asks for it does not need here. */
export async function started({ path, module: bytes, metadata }: ModelModule): Promise<StandaloneModel> {
  try {
    const module = await WebAssembly.compile(bytes)
    const imports: Record<string, Record<string, () => number>> = {}
    for (const { module: from, name } of WebAssembly.Module.imports(module))
      (imports[from] ??= {})[name] = () => notSupported
    return await instantiate(module, imports)
  } catch (error) {
    const { message } = error as Error
    const lacks = metadata.features === 'relaxed' && /opcode|relaxed/.test(message)
    const why = lacks ? 'it has no relaxed SIMD; compile with --wasm-features plain for every engine' : message
    throw new InputError(`${path}: this engine does not run the module: ${why}`)
  }
}

const portOf = ({ name, type, shape }: StandalonePort): Port => ({ name, dtype: type, shape, storage: 0, offset: 0 })

type Ports = Pick<Program, 'free' | 'inputs' | 'outputs' | 'counts' | 'faults'>

/** Inputs and outputs as programs have them. */
export function portsOf({ inputs, outputs }: Standalone): Ports {
  return { free: [], inputs: inputs.map(portOf), outputs: outputs.map(portOf), counts: [], faults: [] }
}

/** The elements as floats. Throws InputError for whole numbers that floats do not hold, as sessions refuse them. */
function exact(path: string, name: string, feed: Feeds[string]): Float32Array {
  const lost = /int(32|64)$/.test(feed.type)
    ? // biome-ignore lint/suspicious/noDoubleEquals: bigints and numbers are compared exactly so
      (feed.data as BigInt64Array).find(value => Math.fround(Number(value)) != (value as unknown))
    : undefined
  if (lost !== undefined) throw new InputError(`${path}: input "${name}" has ${lost}; it takes ${feed.type} up to 2^24`)
  return Float32Array.from(toNumbers(feed))
}

type Session = Pick<InferenceSession, 'device' | 'threads' | 'choice' | 'run' | 'release'>

/** The module as `cairn run` takes sessions. */
export async function openModule(module: ModelModule): Promise<{ session: Session; header: Ports }> {
  const { path, metadata } = module
  const model = await started(module)
  const run = async (feeds: Feeds): Promise<Results> => {
    const floats = metadata.inputs.map(({ name, shape }) => {
      const { dims } = feeds[name]
      if (dims.join() !== shape.join())
        throw new InputError(`${path}: input "${name}" has shape [${dims.join('×')}]; [${shape.join('×')}] is allowed`)
      return [name, exact(path, name, feeds[name])]
    })
    try {
      const results = Object.entries(model.run(Object.fromEntries(floats)))
      return Object.fromEntries(
        results.map(([name, { type, dims, data }]) => [
          name,
          fromFloats(type, Float32Array.from(data as ArrayLike<number | bigint>, Number), dims)
        ])
      )
    } catch (error) {
      throw new InputError(
        `${path}: ${oneLine(error).replace(/^cairn: |^internal error \(\w+: cairn: |\); please.*/g, '')}`
      )
    }
  }
  const session = { device: 'wasm', threads: 1, choice: undefined, run, release: async () => undefined }
  return { session: session as Session, header: portsOf(metadata) }
}
