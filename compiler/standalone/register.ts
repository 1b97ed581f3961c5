import type { Program } from '../../runtime/file/index.js'
import { registerEmitter } from '../emitter.js'
import { type GoldenOptions, goldenOf } from '../lower/index.js'
import type { TargetOptions } from '../target.js'
import { bindingsOf } from './bind.js'
import { standalone } from './make.js'

export { declarationsOf, headerOf, type Standalone, type StandalonePort, standaloneOf, witOf } from './index.js'

/** Importing it brings what `compile` with target wasm needs. */
registerEmitter({ standaloneFrom })

interface ModuleOptions extends TargetOptions {
  readonly golden?: boolean | GoldenOptions
  readonly maxMemory?: number
}

/** A lowered program as a module. */
export function standaloneFrom(
  program: Program,
  { dims = {}, wasmFeatures, wasi, component, golden, maxMemory }: ModuleOptions
): Promise<Uint8Array> {
  const own =
    golden && goldenOf(program, { ...(golden === true ? {} : golden), dims: bindingsOf(program, { dims, maxMemory }) })
  return standalone(program, { dims, features: wasmFeatures, wasi, component, golden: own || undefined, maxMemory })
}
