// The tensors and operators of a file while it is made, in floats or in bytes.
import { type decodePlan, permuted, type Step } from '../../../cli/measure/index.js'
import type { Ranges } from './ranges.js'
import type { Field, FileSpec, OperatorKind, OperatorSpec, Quantisation, TensorSpec } from './write.js'

/** Tensors are numbered as in the file; `plan` numbers them otherwise. */
export class Network {
  /** Tensors of the plan that hold nothing negative: zeros pad their maxima. */
  readonly rectified = new Set<number>()
  private readonly tensors: TensorSpec[] = []
  private readonly operators: OperatorSpec[] = []
  private readonly numbers = new Map<number, number>()
  private readonly constants: ReadonlyMap<number, { readonly shape: readonly number[]; readonly data: Float32Array }>

  constructor(
    { plan, weights }: ReturnType<typeof decodePlan>,
    private readonly ranges?: Ranges
  ) {
    this.constants = new Map(
      plan.weights.map(({ id, shape, offset }) => {
        const length = shape.reduce((a, b) => a * b, 1)
        return [id, { shape, data: weights.subarray(offset, offset + length) }]
      })
    )
  }

  get bytes(): boolean {
    return this.ranges !== undefined
  }

  /** A constant of one element. */
  scalar(id: number): number | undefined {
    const data = this.constants.get(id)?.data
    return data?.length === 1 ? data[0] : undefined
  }

  constant(id: number): { readonly shape: readonly number[]; readonly data: Float32Array } {
    const found = this.constants.get(id)
    if (!found) throw new Error(`tensor ${id} of the plan is no constant`)
    return found
  }

  /** A tensor of the plan as an operand, its number in the file. */
  operand(id: number): number {
    const known = this.numbers.get(id)
    if (known !== undefined) return known
    const { shape, data } = this.constant(id)
    const number = this.values(`constant ${id}`, shape, data)
    this.numbers.set(id, number)
    return number
  }

  shape(number: number): readonly number[] {
    return this.tensors[number].shape
  }

  quantisation(number: number): Quantisation | undefined {
    return this.tensors[number].quantisation
  }

  /** What a step gives; `range` where it is known ahead. */
  define(id: number, shape: readonly number[], range?: readonly [number, number]): number {
    const number = this.activation(`tensor ${id}`, shape, range ?? this.ranges?.get(id))
    this.numbers.set(id, number)
    return number
  }

  activation(name: string, shape: readonly number[], range: readonly [number, number] | undefined): number {
    if (!this.ranges) return this.add({ name, shape, type: 'float32' })
    return this.add({ name, shape, type: 'int8', quantisation: scaleOf(range ?? [0, 0]) })
  }

  /** The same quantisation as another tensor. */
  like(name: string, shape: readonly number[], number: number): number {
    const { type, quantisation } = this.tensors[number]
    return this.add({ name, shape, type, quantisation })
  }

  plain(name: string, shape: readonly number[]): number {
    return this.add({ name, shape, type: 'float32' })
  }

  alias(id: number, number: number): void {
    this.numbers.set(id, number)
  }

  sizes(values: readonly number[], shape: readonly number[] = [values.length]): number {
    return this.add({ name: `sizes ${this.tensors.length}`, shape, type: 'int32', data: Int32Array.from(values) })
  }

  /** Constant numbers of an element-wise operator. */
  values(name: string, shape: readonly number[], data: Float32Array): number {
    if (!this.ranges) return this.add({ name, shape, type: 'float32', data })
    const quantisation = scaleOf([data.reduce((a, b) => Math.min(a, b), 0), data.reduce((a, b) => Math.max(a, b), 0)])
    const [scale, zero] = [quantisation.scale[0], quantisation.zero[0]]
    const whole = Int8Array.from(data, value => clamped(Math.round(value / scale) + zero))
    return this.add({ name, shape, type: 'int8', data: whole, quantisation })
  }

  /** Weights without a scale, their axes in another order. */
  permutedConstant(id: number, order: readonly number[], shape: readonly number[]): number {
    const { shape: plain, data } = this.constant(id)
    return this.add({
      name: `weights ${this.tensors.length}`,
      shape,
      type: 'float32',
      data: permuted(data, plain, order)
    })
  }

  /** Weights of which each slice along `axis` has a scale, and what is added to the sums of each. */
  weights(
    [filter, bias]: readonly number[],
    order: readonly number[],
    axis: number,
    input: number,
    shape?: readonly number[]
  ): [number, number] {
    const { shape: plain, data } = this.constant(filter)
    const laid = permuted(data, plain, order)
    const dims = shape ?? order.map(from => plain[from])
    const name = `weights ${this.tensors.length}`
    const added = this.constant(bias).data
    if (!this.ranges)
      return [
        this.add({ name, shape: dims, type: 'float32', data: laid }),
        this.add({ name: `${name}, bias`, shape: [added.length], type: 'float32', data: added })
      ]
    const inner = dims.slice(axis + 1).reduce((a, b) => a * b, 1)
    const slice = (i: number) => Math.floor(i / inner) % dims[axis]
    const largest = new Float64Array(dims[axis])
    laid.forEach((value, i) => (largest[slice(i)] = Math.max(largest[slice(i)], Math.abs(value))))
    const scale = Array.from(largest, most => Math.fround((most || 1) / 127))
    const zero = scale.map(() => 0)
    const own = scale.map(value => value * this.quantisation(input)!.scale[0])
    return [
      this.add({
        ...{ name, shape: dims, type: 'int8', quantisation: { scale, zero, axis } },
        data: Int8Array.from(laid, (value, i) => Math.round(value / scale[slice(i)]))
      }),
      this.add({
        ...{ name: `${name}, bias`, shape: [added.length], type: 'int32', quantisation: { scale: own, zero, axis: 0 } },
        data: Int32Array.from(added, (value, i) => Math.round(value / own[i]))
      })
    ]
  }

  call(kind: OperatorKind, inputs: readonly number[], outputs: readonly number[], fields: readonly Field[] = []): void {
    const versioned = this.versions.get(kind) ?? (this.bytes ? kind : { ...kind, version: 1 })
    this.versions.set(kind, versioned)
    this.operators.push({ kind: versioned, inputs, outputs, fields })
  }

  finish(inputs: readonly number[], outputs: readonly number[]): FileSpec {
    return { tensors: this.tensors, operators: this.operators, inputs, outputs }
  }

  private readonly versions = new Map<OperatorKind, OperatorKind>()

  private add(tensor: TensorSpec): number {
    return this.tensors.push(tensor) - 1
  }
}

export function refuse({ call }: Step, why: string): Error {
  return new Error(`no .tflite is written of ${call}: ${why}`)
}

const clamped = (value: number) => Math.min(Math.max(value, -128), 127)

function scaleOf([low, high]: readonly [number, number]): Quantisation {
  const scale = Math.fround((high - low || 1) / 255)
  return { scale: [scale], zero: [clamped(Math.round(-128 - low / scale))] }
}
