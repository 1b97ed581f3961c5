import { kindOf } from '../../compiler/onnx/index.js'
import { drawnInput, type PictureRange, pictureRanges } from '../../compiler/quantise/index.js'
import type { Bindings, Port, Program } from '../../runtime/file/index.js'
import { type Feeds, Tensor, type Type } from '../../runtime/index.js'
import { InputError } from '../terminal/index.js'
import { readBytes, refuseOther } from './files.js'
import { describePort, shapeAt } from './model.js'
import { decodeNpy } from './npy.js'
import { toNumbers } from './numbers.js'
import { decodeTensorFile } from './protobuf.js'

type Inputs = Pick<Program, 'inputs'>

/** Feeds from --input flags, and seeded random ones. */
export function readTensor(path: string): Tensor {
  const bytes = readBytes(path, 'input')
  refuseOther(bytes, path, 'a .npy or .pb (TensorProto) file', 'npy', 'tensor')
  if (path.endsWith('.pb')) return decodeTensorFile(bytes, path)
  if (path.endsWith('.npy') || kindOf(bytes)?.name === 'npy') return decodeNpy(bytes, path)
  throw new InputError(`${path}: inputs of type .npy and .pb (TensorProto) are allowed`)
}

/** An array of NumPy's. */
export function readNpy(path: string): Tensor {
  const bytes = readBytes(path, 'array')
  refuseOther(bytes, path, 'a .npy file', 'npy')
  return decodeNpy(bytes, path)
}

export function readInputs({ inputs }: Inputs, given: readonly (readonly [string, string])[]): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {}
  for (const [name, path] of given) {
    const port = inputs.find(input => input.name === name)
    if (!port) throw new InputError(`no input "${name}"; the model takes ${inputs.map(describePort).join(', ')}`)
    feeds[name] = asFloat(readTensor(path), port)
  }
  return feeds
}

/** Elements as numbers, in a tensor of the type. */
export const tensorOf = (type: string, data: readonly number[], dims: readonly number[]) =>
  new Tensor(type as Type, type.endsWith('int64') ? data.map(BigInt) : data, [...dims])

const floats = ['float32', 'float16', 'float64']

/** One floating-point type as another: NumPy writes float64 where nobody asked for it. */
function asFloat(tensor: Tensor, { dtype }: Port): Tensor {
  if (tensor.type === dtype || !floats.includes(tensor.type) || !floats.includes(dtype)) return tensor
  return new Tensor(dtype as Type, Array.from(toNumbers(tensor)), tensor.dims)
}

export function missingInputs({ inputs }: Inputs, feeds: Feeds): string {
  return inputs
    .filter(port => !feeds[port.name])
    .map(describePort)
    .join(', ')
}

/** The feeds with a random tensor for each of `ports`: a drawn picture in `range` where one fits, else noise. */
export function withRandom(
  feeds: Feeds,
  ports: readonly Port[],
  bindings: Bindings,
  seed: number,
  range: PictureRange = pictureRanges[0]
): Record<string, Tensor> {
  for (const port of ports) refuseHuge(port, bindings)
  const random = ports.map((port, i) => {
    const dims = shapeAt(port, bindings)
    const values = drawnInput(port, dims, seed + i, range)
    const data =
      port.dtype === 'float32' ? values : port.dtype.endsWith('int64') ? Array.from(values, BigInt) : Array.from(values)
    return [port.name, new Tensor(port.dtype as Type, data, dims)] as const
  })
  return { ...feeds, ...Object.fromEntries(random) }
}

/** More than fits WebAssembly's memory need not be drawn first. */
function refuseHuge(port: Port, bindings: Bindings): void {
  const dims = shapeAt(port, bindings)
  const elements = dims.reduce((a, b) => a * b, 1)
  if (elements > 2 ** 26)
    throw new InputError(
      `input "${port.name}" of ${dims.join('×')} is ${elements} numbers; up to ${2 ** 26} are drawn at random`
    )
}

export interface Extent {
  readonly min: number
  readonly max: number
  readonly mean: number
}

export function rangeOf(values: Float64Array): Extent {
  let [min, max, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
  for (const value of values) {
    if (value < min || Number.isNaN(value)) min = value
    if (value > max || Number.isNaN(value)) max = value
    sum += value
  }
  return { min, max, mean: sum / values.length }
}
