import { type Flags, type Option, UsageError } from '../terminal/index.js'
import type { ModelFile } from './files.js'

/** `--shape`: the sizes and names that an ONNX model's inputs shall have. */
export const shapeOption: Option = {
  flag: '--shape',
  value: 'NAME=1x3xHxW',
  help: "an input's shape: sizes, and names of free dimensions, equal ones for equal sizes (repeatable)"
}

export type Shapes = Readonly<Record<string, readonly (number | string)[]>>

/** Sizes and names joined by x, or by commas where a name has an x. */
export function shapesOf(flags: Flags): Shapes {
  return Object.fromEntries(
    flags.pairs('shape', 'NAME=1x3xHxW').map(([name, text]) => {
      const entries = text === '' ? [] : text.split(text.includes(',') ? ',' : /[x×]/)
      const wrong = entries.find(entry => !/^(\d+|[\p{L}_][\p{L}\p{N}_.]*)$/u.test(entry))
      if (wrong !== undefined)
        throw new UsageError(`--shape ${name}=${text}: sizes and names joined by x are allowed, not "${wrong}"`)
      return [name, entries.map(entry => (/^\d/.test(entry) ? Number(entry) : entry))]
    })
  )
}

/** The model with the shapes that the flags give its inputs; a compiled one has its own. */
export function shaped(model: ModelFile, shapes: Shapes): ModelFile {
  const [first] = Object.keys(shapes)
  if (first !== undefined && model.kind === 'cairn')
    throw new UsageError(`--shape ${first}: ${model.path} is compiled already; an ONNX model is allowed`)
  return { ...model, shapes }
}
