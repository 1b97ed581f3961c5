import { kindOf } from '../../compiler/onnx/index.js'
import type { Bindings, Port, Program } from '../../runtime/file/index.js'
import { type Feeds, Tensor, type Type } from '../../runtime/index.js'
import { InputError } from '../terminal/index.js'
import { readBytes, refuseOther } from './files.js'
import { describePort, shapeAt } from './model.js'
import { decodeNpy } from './npy.js'
import { toNumbers } from './numbers.js'
import { decodeTensorFile } from './protobuf.js'
import { drawScene, type Range, ranges } from './scene.js'

type Inputs = Pick<Program, 'inputs'>

/** Feeds from --input flags, and seeded random ones. */
function readTensor(path: string): Tensor {
  const bytes = readBytes(path, 'input')
  refuseOther(bytes, path, 'a .npy or .pb (TensorProto) file', 'npy', 'tensor')
  if (path.endsWith('.pb')) return decodeTensorFile(bytes, path)
  if (path.endsWith('.npy') || kindOf(bytes)?.name === 'npy') return decodeNpy(bytes, path)
  throw new InputError(`${path}: inputs of type .npy and .pb (TensorProto) are allowed`)
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
  range: Range = ranges[0]
): Record<string, Tensor> {
  for (const port of ports) refuseHuge(port, bindings)
  const random = ports.map((port, i) => {
    const tensor = pictureTensor(port, bindings, seed + i, range) ?? randomTensor(port, bindings, seed + i)
    return [port.name, tensor] as const
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

/** Whether the input is a batch of pictures, [N, 1 or 3, H, W], that a scene can be drawn for. */
export function takesPictures({ dtype, shape }: Port): boolean {
  return floats.includes(dtype) && shape.length === 4 && (shape[1] === 1 || shape[1] === 3)
}

function pictureTensor(port: Port, bindings: Bindings, seed: number, { scale, shift }: Range): Tensor | undefined {
  if (!takesPictures(port)) return undefined
  const [batch, channels, height, width] = shapeAt(port, bindings)
  const next = generator(seed)
  const values = new Float32Array(batch * channels * height * width)
  for (let n = 0; n < batch; n++) values.set(drawScene(next, channels, height, width), n * channels * height * width)
  const scaled = values.map(value => value * scale + shift)
  const data = port.dtype === 'float32' ? scaled : Array.from(scaled)
  return new Tensor(port.dtype as Type, data, [batch, channels, height, width])
}

/** Standard normal floats; whole numbers of 0 to 255 for bytes, 0 or 1 for bool, 0 to 9 for other integers. */
function randomTensor(port: Port, bindings: Bindings, seed: number): Tensor {
  const next = generator(seed)
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
  const whole = (limit: number) => () => Math.floor(next() * limit)
  const draw = floats.includes(port.dtype)
    ? normal
    : whole(port.dtype === 'bool' ? 2 : port.dtype === 'uint8' ? 256 : 10)
  const dims = shapeAt(port, bindings)
  const values = new Float32Array(dims.reduce((a, b) => a * b, 1)).map(draw)
  if (port.dtype === 'float32') return new Tensor('float32', values, dims)
  return new Tensor(
    port.dtype as Type,
    port.dtype.endsWith('int64') ? Array.from(values, BigInt) : Array.from(values),
    dims
  )
}

/** Mulberry32 (Tommy Ettinger): 32 bits of state are plenty for inputs. */
export function generator(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
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
