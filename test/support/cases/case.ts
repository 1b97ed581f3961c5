// Operator cases as data: one node, or a chain of nodes, and what its operands are.
import type { CompileOptions } from '../../../compiler/index.js'
import { floatToHalf, halfToFloat } from '../../../runtime/base/half.js'
import type { BackendName } from '../cairn.js'
import { type Attributes, type Dim, type DType, ModelBuilder, type Range } from '../onnx/model.js'
import type { Bindings } from '../onnx/oracle.js'
import type { Random } from '../random.js'

/** A graph input, or a constant of given or random values. */
export interface Operand {
  readonly kind: 'input' | 'constant'
  readonly dims: readonly Dim[]
  readonly dtype: DType
  readonly range: Range
  readonly values?: readonly number[]
  /** Drawn values are rounded to binary16, of which these are subnormal. */
  readonly subnormal?: 'some' | 'all'
  /** Drawn values are sixty-fourths. */
  readonly coarse?: boolean
}

/** The nearest sixty-fourth that is not 0: some thousand products of such, up to 2 in size, add up exactly in any order. */
export const coarsely = (value: number): number => (Math.round(value * 64) || 1) / 64

export interface Step {
  readonly op: string
  /** Further operands; the first is the output of the step before. `previous` puts that elsewhere. */
  readonly operands?: readonly (Operand | 'previous' | undefined)[]
  readonly attributes?: Attributes
  readonly outputs?: number
}

export interface Case {
  readonly name: string
  readonly op: string
  readonly operands: readonly (Operand | undefined)[]
  readonly attributes?: Attributes
  readonly opset?: number
  readonly outputs?: number
  readonly next?: readonly Step[]
  /** Sizes of the free dimensions, one run each. */
  readonly bindings?: readonly Bindings[]
  /** How it is compiled, where that is not as usual. */
  readonly options?: CompileOptions
  /** Where more than the usual error is right, and why. */
  readonly tolerance?: { readonly limit: number; readonly reason: string }
  /** Backends that cannot run this, and why. */
  readonly without?: Partial<Readonly<Record<BackendName, string>>>
  /** Known outputs, where onnxruntime cannot be asked, and why. */
  readonly expected?: { readonly reason: string; readonly outputs: readonly (readonly number[])[] }
}

/** Layers of 8-bit integers refuse to be stored as halves. */
export const takesHalves = ({ operands }: Case): boolean =>
  operands.every(operand => operand?.dtype !== 'uint8' && operand?.dtype !== 'int8')

/** Everything that a case may say beside its operands. */
export type Rest = Omit<Case, 'name' | 'op' | 'operands' | 'attributes'>

export const one = (
  name: string,
  op: string,
  operands: readonly (Operand | undefined)[],
  attributes: Attributes = {},
  rest: Rest = {}
): Case => ({ name, op, operands, attributes, ...rest })

export const x = (...dims: Dim[]): Operand => ({ kind: 'input', dims, dtype: 'float32', range: [-2, 2] })
export const c = (...dims: number[]): Operand => ({ kind: 'constant', dims, dtype: 'float32', range: [-1, 1] })
/** A constant that half precision holds exactly, one in three numbers subnormal there. */
export const halves = (...dims: number[]): Operand => ({ ...c(...dims), subnormal: 'some' })
export const coarse = (operand: Operand): Operand => ({ ...operand, coarse: true })
export const within = (operand: Operand, low: number, high: number): Operand => ({ ...operand, range: [low, high] })
export const typed = (operand: Operand, dtype: DType, range = operand.range): Operand => ({ ...operand, dtype, range })

export const given = (
  values: readonly number[],
  dims: readonly number[] = [values.length],
  dtype: DType = 'float32'
): Operand => ({
  kind: 'constant',
  dims,
  dtype,
  range: [0, 0],
  values
})
export const ints = (...values: number[]): Operand => given(values, [values.length], 'int64')
export const floats = (...values: number[]): Operand => given(values)
export const scalar = (value: number, dtype: DType = 'float32'): Operand => given([value], [], dtype)

export function modelOf(
  { op, operands, attributes, opset, outputs = 1, next = [] }: Case,
  random: Random
): ModelBuilder {
  const model = new ModelBuilder(random, opset)
  const nameOf = (operand: Operand | undefined): string | undefined => {
    if (!operand) return undefined
    const { kind, dims, dtype, range, values, subnormal, coarse } = operand
    if (kind === 'input') return model.input(dims, dtype, range)
    const count = (dims as number[]).reduce((a, b) => a * b, 1)
    const drawn = () => (dtype.startsWith('float') ? random.values(count, range) : random.ints(count, range))
    const rounded = (value: number, i: number) =>
      halfToFloat(floatToHalf(subnormal === 'all' || i % 3 === 1 ? value * 2 ** -15 : value))
    const data = values ?? (subnormal ? drawn().map(rounded) : coarse ? drawn().map(coarsely) : drawn())
    return model.constant({ dtype, dims: dims as number[], data })
  }
  let results = model.addMany(op, operands.map(nameOf), outputs, attributes)
  for (const step of next) {
    const list = step.operands ?? []
    const placed = list.includes('previous') ? list : (['previous', ...list] as const)
    results = model.addMany(
      step.op,
      placed.map(operand => (operand === 'previous' ? results[0] : nameOf(operand))),
      step.outputs ?? 1,
      step.attributes
    )
  }
  return model.output(...results)
}
