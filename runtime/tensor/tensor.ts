import { brandOf, CairnError, floatToHalf } from '../base/index.js'
import { checkSource, fromImageData, type ImageSource, type ImageTensorOptions, pictureOf } from './image.js'

/** Element types and the arrays that hold them, as onnxruntime-web pairs them. */
export interface DataTypes {
  float32: Float32Array
  float16: Uint16Array
  float64: Float64Array
  int64: BigInt64Array
  uint64: BigUint64Array
  int32: Int32Array
  uint32: Uint32Array
  int16: Int16Array
  uint16: Uint16Array
  uint8: Uint8Array
  int8: Int8Array
  bool: Uint8Array
}

/** Element types, by the names of onnxruntime-web. */
export type Type = keyof DataTypes
export type Data = DataTypes[Type]

/** The array that holds elements of each type. */
export const arrays: {
  readonly [T in Type]: {
    new (length: number): DataTypes[T]
    new (from: ArrayLike<number> | ArrayBuffer): DataTypes[T]
    readonly BYTES_PER_ELEMENT: number
  }
} = {
  float32: Float32Array,
  float16: Uint16Array,
  float64: Float64Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int16: Int16Array,
  uint16: Uint16Array,
  uint8: Uint8Array,
  int8: Int8Array,
  bool: Uint8Array
}

/** Elements on the GPU, and what whoever made the tensor can do with them. */
export interface GpuTensorOptions {
  /** Element type of the buffer; default `float32`. */
  readonly dataType?: 'float32' | 'float16'
  /** Sizes of the axes, in C order. */
  readonly dims: readonly number[]
  /** Brings the elements to the CPU; without it `getData` is refused. */
  download?(): Promise<Data>
  /** Called once by `Tensor.dispose`. */
  dispose?(): void
}

interface OnGpu extends GpuTensorOptions {
  readonly buffer: GPUBuffer
}

/** A dense tensor in C order, with onnxruntime's constructor: `new Tensor('float32', data, dims)` or `new Tensor(data, dims)`. */
export class Tensor {
  /** Element type. */
  readonly type: Type
  /** Sizes of the axes. */
  readonly dims: readonly number[]
  private readonly held: Data | undefined
  private onGpu: OnGpu | undefined

  constructor(
    type: Type,
    data: Data | Uint8ClampedArray | readonly number[] | readonly bigint[] | readonly boolean[],
    dims?: readonly number[]
  )
  constructor(data: Data | Uint8ClampedArray, dims?: readonly number[])
  constructor(first: Type | Data | Uint8ClampedArray, second?: unknown, third?: readonly number[]) {
    const typed = typeof first === 'string'
    const type = typed ? first : typeOf(first)
    const given = typed ? second : first
    if (!Object.hasOwn(arrays, type))
      throw new CairnError(`a tensor of type "${type}" is not supported; ${Object.keys(arrays).join(', ')} are`)
    this.type = type
    if (isOnGpu(given)) this.onGpu = given
    else this.held = toArray(type, given)
    const length = this.held?.length
    const dims = (typed ? third : second) ?? [length!]
    if (!Array.isArray(dims)) throw new CairnError('dims of a tensor are an array of sizes')
    this.dims = [...dims]
    const count = this.dims.reduce((a, b) => a * b, 1)
    if (this.dims.some(size => !Number.isInteger(size) || size < 0) || (length !== undefined && count !== length))
      throw new CairnError(`tensor dims [${this.dims.join(', ')}] do not fit its ${length ?? 'buffer'} elements`)
  }

  /** As onnxruntime-web's, of what a browser shows; any RGB or RGBA bytes with their width and height will do. */
  static async fromImage(image: ImageSource, options?: ImageTensorOptions): Promise<Tensor> {
    checkSource(image)
    const { data, dims } = fromImageData(pictureOf(image), options)
    return new Tensor('float32', data, dims)
  }

  /** A tensor of what `buffer` holds, dense and in C order; with usage COPY_SRC it can be fed to sessions of its device. */
  static fromGpuBuffer(buffer: GPUBuffer, options: GpuTensorOptions): Tensor {
    if (!options?.dims) throw new CairnError('a tensor of a GPU buffer needs its dims')
    const { dataType = 'float32', dims } = options
    const bytes = dims.reduce((a, b) => a * b, 1) * (dataType === 'float16' ? 2 : 4)
    if (buffer.size < bytes)
      throw new CairnError(
        `a ${dataType} tensor of [${dims.join(', ')}] needs ${bytes} bytes; its buffer has ${buffer.size}`
      )
    const onGpu: OnGpu = { ...options, buffer }
    return new Tensor(dataType, onGpu as unknown as Data, dims)
  }

  /** `none` once disposed of. */
  get location(): 'cpu' | 'gpu-buffer' | 'none' {
    return this.held ? 'cpu' : this.onGpu ? 'gpu-buffer' : 'none'
  }

  /** The elements; throws CairnError where they lie on the GPU. */
  get data(): Data {
    if (this.held) return this.held
    throw new CairnError(
      this.onGpu ? 'the tensor lies on the GPU; await getData() for its elements' : 'the tensor has been disposed of'
    )
  }

  /** The buffer; throws CairnError where the tensor lies on the CPU or has been disposed of. */
  get gpuBuffer(): GPUBuffer {
    if (this.onGpu) return this.onGpu.buffer
    throw new CairnError(`the tensor has ${this.held ? 'no GPU buffer: it lies on the cpu' : 'been disposed of'}`)
  }

  /** The elements, fetched from the GPU where they lie there; `release` disposes of them there. */
  async getData(release = false): Promise<Data> {
    if (this.held) return this.held
    const { download } = this.onGpu ?? {}
    if (!download)
      throw new CairnError('the tensor was made of a GPU buffer without `download`, or has been disposed of')
    const data = await download()
    if (release) this.dispose()
    return data
  }

  /** Elements: the product of the dims. */
  get size(): number {
    return this.dims.reduce((a, b) => a * b, 1)
  }

  /** The same elements with other dims of the same product; throws CairnError where they do not fit. */
  reshape(dims: readonly number[]): Tensor {
    if (!this.onGpu) return new Tensor(this.type, this.data, dims)
    return Tensor.fromGpuBuffer(this.onGpu.buffer, { ...this.onGpu, dims })
  }

  /** Gives a buffer of the GPU's back to whom it came from. */
  dispose(): void {
    this.onGpu?.dispose?.()
    this.onGpu = undefined
  }
}

const isOnGpu = (given: unknown): given is OnGpu =>
  given !== null && typeof given === 'object' && 'buffer' in given && 'dims' in given && !ArrayBuffer.isView(given)

function typeOf(data: unknown): Type {
  const brand = brandOf(data)
  // The first of the types that an array serves is the one that it is taken for.
  const found = (Object.keys(arrays) as Type[]).find(type => arrays[type].name === brand || isAlias(brand, type))
  if (found) return found
  throw new CairnError('tensor data must be a typed array of a supported type')
}

/** Whether an array holds the type's bits under another name: a canvas's bytes, or halves where the engine has them. */
const isAlias = (brand: string, type: Type) =>
  brand === 'Uint8ClampedArray' ? arrays[type].name === 'Uint8Array' : brand === 'Float16Array' && type === 'float16'

function toArray(type: Type, given: unknown): Data {
  const make = arrays[type]
  const brand = brandOf(given)
  if (brand === make.name) return given as Data
  if (isAlias(brand, type)) {
    const { buffer, byteOffset, length } = given as Data
    return new (make as unknown as new (...of: unknown[]) => Data)(buffer, byteOffset, length)
  }
  if (!Array.isArray(given)) throw new CairnError(`data of a ${type} tensor must be a ${make.name} or an array`)
  const data = new make(given.length)
  given.forEach((value, i) => {
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
      if (typeof value === 'number' && !Number.isInteger(value))
        throw new CairnError(`${value} is no element of a ${type} tensor`)
      data[i] = BigInt(value)
    } else data[i] = type === 'float16' ? floatToHalf(Number(value)) : Number(value)
  })
  return data
}
