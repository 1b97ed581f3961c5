// Runs models on onnxruntime-node, what every result is compared with.
import ort from 'onnxruntime-node'
import { halvesAsBits } from '../../../cli/model/halves.js'
import { halfToFloat } from '../../../runtime/base/half.js'
import type { Random } from '../random.js'
import { type DType, decodeModel, encodeModel, type Input, sizeOf, tensorProto, typedArray } from './model.js'

halvesAsBits(ort)

/** A tensor as plain numbers, whatever its element type. */
export interface Numbers {
  readonly dtype: DType
  readonly dims: readonly number[]
  readonly data: ArrayLike<number>
}

export type Named = Readonly<Record<string, Numbers>>
export type Bindings = Readonly<Record<string, number>>

/** Random contents for the inputs of a model, floats never zero; free dimensions take the sizes of `bindings`. */
export function randomFeeds(inputs: readonly Input[], random: Random, bindings: Bindings = {}): Named {
  return Object.fromEntries(
    inputs.map(({ name, dtype, dims, range }) => {
      const sizes = dims.map(dim => (typeof dim === 'number' ? dim : bindings[dim]))
      const count = sizeOf(sizes)
      const values = dtype.startsWith('float') ? random.values(count, range) : random.ints(count, range)
      // Rounded to what the element type holds, and Cairn's floats, so that every runtime gets the same numbers.
      const floats = dtype === 'float64' ? Float32Array.from(values) : values
      return [name, { dtype, dims: sizes, data: numbersOf(dtype, typedArray(dtype, floats)) }]
    })
  )
}

export function numbersOf(dtype: DType, data: ArrayLike<number | bigint>): ArrayLike<number> {
  if (dtype === 'float16') return Float32Array.from(data as Uint16Array, halfToFloat)
  return dtype.endsWith('int64') ? Float64Array.from(data as BigInt64Array, Number) : (data as ArrayLike<number>)
}

/** Whether a model names an operator on integers. */
const sumsBytes = (model: Uint8Array) => ['Integer', 'QLinear', 'QGemm'].some(op => Buffer.from(model).includes(op))

export class Oracle {
  private constructor(private readonly session: ort.InferenceSession) {}

  /**
   * `optimise` off keeps onnxruntime's own rewrites out of small comparisons, but for the one that sums bytes exactly where the
   * processor has no VNNI: its kernels saturate there.
   */
  static async load(model: Uint8Array, optimise = false): Promise<Oracle> {
    const session = await ort.InferenceSession.create(model, {
      graphOptimizationLevel: optimise ? 'all' : sumsBytes(model) ? 'extended' : 'disabled',
      extra: { session: { x64quantprecision: '1' } },
      intraOpNumThreads: 1,
      logSeverityLevel: 4
    })
    return new Oracle(session)
  }

  get inputNames(): readonly string[] {
    return this.session.inputNames
  }

  get outputNames(): readonly string[] {
    return this.session.outputNames
  }

  async run(feeds: Named): Promise<Record<string, Numbers>> {
    const tensors = Object.entries(feeds).map(([name, { dtype, dims, data }]) => [
      name,
      new ort.Tensor(dtype as 'float32', typedArray(dtype, data) as Float32Array, [...dims])
    ])
    const results = await this.session.run(Object.fromEntries(tensors))
    return Object.fromEntries(
      Object.entries(results).map(([name, { type, dims, data }]) => {
        const dtype = type as DType
        return [name, { dtype, dims, data: numbersOf(dtype, data as unknown as ArrayLike<number>) }]
      })
    )
  }

  async release(): Promise<void> {
    await this.session.release()
  }
}

/**
 * The model with every Sigmoid spelled 1 / (1 + exp(-x)). onnxruntime's own gives steps of 2^-24, which is much of a
 * result close to zero; spelled out it computes that to the last bits.
 */
export function spellSigmoids(bytes: Uint8Array): Uint8Array {
  const model = decodeModel(bytes)
  const graph = model.graph!
  if (!graph.node!.some(node => node.opType === 'Sigmoid')) return bytes
  const one = 'one of the spelled sigmoids'
  graph.initializer!.push(tensorProto(one, { dtype: 'float32', dims: [], data: [1] }))
  graph.node = graph.node!.flatMap(node => {
    if (node.opType !== 'Sigmoid') return [node]
    const [input, output] = [node.input![0], node.output![0]]
    return [
      { opType: 'Neg', input: [input], output: [`${output} negated`] },
      { opType: 'Exp', input: [`${output} negated`], output: [`${output} power`] },
      { opType: 'Add', input: [`${output} power`, one], output: [`${output} sum`] },
      { opType: 'Reciprocal', input: [`${output} sum`], output: [output] }
    ]
  })
  return encodeModel(model)
}
