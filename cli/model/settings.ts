import { constantInputs } from '../../compiler/onnx/index.js'
import type { Tensor } from '../../runtime/index.js'
import { type Flags, type Option, UsageError } from '../terminal/index.js'
import type { Given, ModelFile } from './files.js'
import { readTensor, tensorOf } from './tensors.js'

export const givenOptions: readonly Option[] = [
  {
    flag: '--shape',
    value: 'NAME=1x3xHxW',
    help: "an input's shape: sizes, and names of free dimensions, equal ones for equal sizes (repeatable)"
  },
  {
    flag: '--set',
    value: 'NAME=VALUE',
    help: 'the value of an input that decides shapes: a number, true or false, several joined by commas, or a .npy or .pb file (repeatable)'
  }
]

export const givenOf = (flags: Flags): Given => ({ shapes: shapesOf(flags), settings: settingsOf(flags) })

/** Sizes and names joined by x, or by commas where a name has an x. */
function shapesOf(flags: Flags): Given['shapes'] {
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

function settingsOf(flags: Flags): Given['settings'] {
  return Object.fromEntries(
    flags.pairs('set', 'NAME=VALUE').map(([name, text]) => {
      if (/\.(npy|pb)$/i.test(text)) return [name, readTensor(text)]
      const values = text.split(',').map(entry => {
        if (/^(true|false)$/.test(entry)) return entry === 'true'
        if (/^[+-]?\d+$/.test(entry)) return BigInt(entry)
        if (entry.trim() !== '' && Number.isFinite(Number(entry))) return Number(entry)
        throw new UsageError(`--set ${name}=${text}: numbers, true and false are allowed, not "${entry}"`)
      })
      return [name, values.length === 1 ? values[0] : values]
    })
  )
}

/** The settings as onnxruntime takes them: inputs like others. */
export function settingFeeds({ bytes, given }: ModelFile): Record<string, Tensor> {
  return Object.fromEntries(
    [...constantInputs(bytes, given?.settings)].map(([name, { dtype, shape, data }]) => [
      name,
      tensorOf(dtype, Array.from(data), shape)
    ])
  )
}
