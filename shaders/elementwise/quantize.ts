import { list, named, product, type Shader } from '../dispatch.js'

/** A kernel of six loops that takes one element at a time. */
export function oneByOne(
  block: string,
  files: readonly string[],
  constants?: Readonly<Record<string, number>>
): Shader {
  const entry = files[files.length - 1]
  return {
    block,
    dispatches: p => [
      {
        files: ['index', 'nest', ...files],
        entry,
        constants,
        vector: false,
        groups: list(product(...named(p, 'd', 6)))
      }
    ]
  }
}

export const quantize = oneByOne('Quantize', ['steps', 'quantize'])
export const dequantize = oneByOne('Quantize', ['steps', 'quantize'], { BACK: 1 })
