import type { Program } from '../runtime/file/index.js'
import { CompileError } from './errors.js'
import type { GoldenOptions } from './lower/index.js'
import type { TargetOptions } from './target.js'

/**
 * What makes WebAssembly modules of models, with Binaryen, which is far larger than the compiler: no bundle should have it
 * unless its program asks, by importing cairnjs/compiler/standalone. Without a bundler it is loaded when it is needed.
 */
export interface StandaloneEmitter {
  standaloneFrom(
    program: Program,
    options: TargetOptions & { readonly golden?: boolean | GoldenOptions; readonly maxMemory?: number }
  ): Promise<Uint8Array>
}

let registered: StandaloneEmitter | undefined

export function registerEmitter(emitter: StandaloneEmitter): void {
  registered = emitter
}

export async function emitter(): Promise<StandaloneEmitter> {
  if (registered) return registered
  // A name that bundlers do not follow; also from the one file of runtime and compiler, beside this folder.
  const place = String(import.meta.url).replace(/[^/]*$/, '../compiler/standalone/register.js')
  try {
    return await import(/* webpackIgnore: true */ /* @vite-ignore */ place)
  } catch (error) {
    const { message } = error as Error
    throw new CompileError(
      `target wasm: Binaryen cannot be loaded (${message}); a program that is bundled imports cairnjs/compiler/standalone`
    )
  }
}
