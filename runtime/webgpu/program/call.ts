import type { Shader } from '../../../shaders/dispatch.js'
import { type Argument, type Bindings, type Call, evaluate } from '../../file/index.js'

/** A call as the GPU makes it. */
export interface GpuCall {
  readonly call: Call
  /** Which of the file's calls it is, or is a part of. */
  readonly origin: number
  readonly shader: Shader
  /** Field names of the block, the addresses of the buffers included. */
  readonly fields: readonly string[]
  /** Letters of the kernel's own fields. */
  readonly letters: string
}

/** Parameters and, in elements, the addresses of the buffers, by field name. */
export function blockOf(
  { call, shader, fields, letters }: GpuCall,
  bindings: Bindings,
  placeOf: (argument: Argument) => number
): Record<string, number> {
  const block: Record<string, number> = {}
  call.parameters.forEach((parameter, i) => {
    const value = evaluate(parameter, bindings)
    block[fields[i]] = letters[i] === 'f' ? value : letters[i] === 'i' ? value | 0 : value >>> 0
  })
  call.arguments.forEach((argument, i) => {
    const field = fields[letters.length + i]
    const isMarked = argument.space === 'constant' && shader.either?.includes(field.slice(0, -2))
    block[field] = placeOf(argument) + evaluate(argument.offset, bindings) + (isMarked ? constantBit : 0)
  })
  return block
}

/** Marks the address of a constant where a kernel takes constants and activations alike (shaders/weights.wgsl). */
const constantBit = 2 ** 31

export function writeBlock(
  block: Record<string, number>,
  { fields, letters }: GpuCall,
  words: DataView,
  at: number
): void {
  fields.forEach((field, i) => {
    if (letters[i] === 'f') words.setFloat32(at + i * 4, block[field], true)
    else words.setInt32(at + i * 4, block[field] ?? 0, true)
  })
}

/** The argument that may be weights of fewer bits than 32. */
export function operandOf({ call, shader, fields, letters }: GpuCall): Argument | undefined {
  return call.arguments.find((_, i) => fields[letters.length + i] === `${shader.halves ?? shader.bytes}At`)
}
