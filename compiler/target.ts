import type { Bindings } from '../runtime/file/index.js'
import { CompileError } from './errors.js'

/** What a model is compiled to. */
export interface TargetOptions {
  /** A .cairn file, by default, or a WebAssembly module that needs nothing else (docs/standalone.md), which Binaryen makes. */
  readonly target?: 'cairn' | 'wasm'
  /** With target wasm: values of the dimensions that are free, all of them. */
  readonly dims?: Bindings
  /** With target wasm: plain SIMD, which every engine has, by default, or relaxed SIMD as well, which is faster. */
  readonly wasmFeatures?: 'plain' | 'relaxed'
  /** With target wasm: makes a command of WASI besides. */
  readonly wasi?: boolean
  /** With target wasm: makes a component (WIT) with the module inside, which `cairn compile` writes beside its interface. */
  readonly component?: boolean
}

/** Throws CompileError for what the target does not take. */
export function checkTarget({ target = 'cairn', wasmFeatures = 'plain', ...others }: TargetOptions): void {
  if (target !== 'cairn' && target !== 'wasm') throw new CompileError(`target "${target}"; cairn and wasm are allowed`)
  if (wasmFeatures !== 'plain' && wasmFeatures !== 'relaxed')
    throw new CompileError(`wasmFeatures "${wasmFeatures}"; plain and relaxed are allowed`)
  if (target === 'cairn' && (others.dims || others.wasi || others.component || wasmFeatures !== 'plain'))
    throw new CompileError('dims, wasmFeatures, wasi and component are of no use without target wasm')
  if (others.wasi && others.component)
    throw new CompileError('a command (wasi) is no component; one of them is allowed')
}
