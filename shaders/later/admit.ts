import { blocks, blocksOf } from '../blocks.js'
import type { Shader } from '../dispatch.js'
import { shaders } from '../kernels.js'
import { sources } from '../sources.js'

/** From now on all that is here knows these texts and kernels, which are loaded for the models that call them. */
export function admit(texts: Readonly<Record<string, string>>, kernels: Readonly<Record<string, Shader>>): void {
  Object.assign(sources, texts)
  Object.assign(blocks, blocksOf(texts))
  Object.assign(shaders, kernels)
}
