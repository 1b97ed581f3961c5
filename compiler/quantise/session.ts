import { type Executor, firstAvailable, mostMemory } from '../../runtime/backend/index.js'
import { fromHalves } from '../../runtime/base/index.js'
import { checkBound, checkFixed } from '../../runtime/check/index.js'
import {
  type Bindings,
  decode,
  encode,
  evaluate,
  freeName,
  type Header,
  type Program,
  showShape
} from '../../runtime/file/index.js'
import { build } from '../build.js'
import { CompileError } from '../errors.js'

/** One input of a model: elements in C order, as the runtime's Tensor has them. */
export interface FeedTensor {
  /** The element type as ONNX Runtime spells it; that of the array where it is left out. */
  readonly type?: string
  /** Lengths of the axes. */
  readonly dims: readonly number[]
  /** The elements, row by row. */
  readonly data: ArrayLike<number> | ArrayLike<bigint>
}

/** The inputs of one run, by name. */
export type Feed = Readonly<Record<string, FeedTensor>>

/** What is done to a program before it is loaded. */
export type Change = (program: Program) => Program

/** Loads one model, changed. */
export type Open = (change?: Change) => Promise<Running>

interface Opening {
  readonly maxMemory?: number
  readonly change?: Change
}

/** An output: elements in C order. */
export interface Result {
  readonly data: Float32Array
  readonly dims: readonly number[]
}

/** A model that runs on the first backend that there is: the CPU path, where it is registered, or the reference. */
export class Running {
  private checked = ''

  private constructor(
    readonly header: Header,
    private readonly executor: Executor
  ) {}

  /** ONNX bytes, compiled and loaded. */
  static async open(model: Uint8Array, { maxMemory = mostMemory, change }: Opening = {}): Promise<Running> {
    const { program, summary } = build(model, { maxMemory })
    const file = decode(encode(change ? change(program) : program, summary))
    checkFixed(file.header)
    const reopen = async () => file
    const options = { numThreads: 1, maxMemory, reopen }
    return firstAvailable([{ name: 'wasm' }, { name: 'reference' }], async (backend, provider) => {
      const executor = await backend.load(reopen(), { ...options, provider })
      return new Running(file.header, executor)
    })
  }

  /** Outputs in the model's order. Throws CompileError for a feed that does not fit. */
  async run(feed: Feed): Promise<Result[]> {
    const { header } = this
    const bindings = bindingsOf(header, feed)
    const key = JSON.stringify(bindings)
    if (header.free.length && key !== this.checked) checkBound(header, bindings)
    this.checked = key
    const inputs = header.inputs.map(({ name }) => floatsOf(feed[name]))
    const ran = await this.executor.run(inputs, bindings)
    // An executor may give its own memory, which the next run writes.
    return header.outputs.map(({ shape }, i) => ({
      data: (ran[i] as Float32Array).slice(),
      dims: shape.map(dim => evaluate(dim, bindings))
    }))
  }

  async release(): Promise<void> {
    await this.executor.release()
  }
}

function floatsOf({ data, type }: FeedTensor): Float32Array {
  if (data instanceof Float32Array) return data
  if (type === 'float16' && data instanceof Uint16Array) return fromHalves(data)
  return Float32Array.from(data as ArrayLike<number>, Number)
}

function bindingsOf({ inputs }: Header, feed: Feed): Bindings {
  const bindings: Record<string, number> = Object.create(null)
  for (const { name, shape } of inputs) {
    const given = (feed as Feed | null | undefined)?.[name]
    if (!given) throw new CompileError(`calibration data: input "${name}" is missing`)
    if (!Array.isArray(given.dims) || given.data?.length === undefined) {
      const dims = shape.map(dim => (typeof dim === 'number' ? dim : 1))
      throw new CompileError(
        `calibration data: input "${name}" is no tensor; a Tensor or { dims: [${dims.join(', ')}], data } is allowed`
      )
    }
    shape.forEach((dim, axis) => {
      const own = freeName(dim)
      if (own !== undefined) bindings[own] ??= given.dims[axis]
    })
  }
  for (const { name, shape } of inputs) {
    const { dims, data } = feed[name]
    const fits = dims.length === shape.length && shape.every((dim, axis) => evaluate(dim, bindings) === dims[axis])
    if (!fits || dims.reduce((a, b) => a * b, 1) !== data.length)
      throw new CompileError(
        `calibration data: input "${name}" has shape [${dims.join('×')}] and ${data.length} elements; it takes ${showShape(shape)}`
      )
  }
  return bindings
}
