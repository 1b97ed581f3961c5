import type { Node, Value } from '../../compiler/graph/index.js'
import { type Bindings, evaluate } from '../../runtime/file/index.js'

/**
 * The receptive field of a value along the longest path to it, by spatial axis: how many input pixels one of its
 * elements sees, and by how many the field moves from one element to the next (Araujo et al. 2019, distill.pub). What
 * has been pooled globally, or multiplied as a matrix, sees the whole input.
 */
export type Field = 'whole' | { readonly size: readonly number[]; readonly jump: readonly number[] }

export function showField(field: Field): string {
  if (field === 'whole') return 'whole'
  const sizes = field.size.map(size => Math.round(size))
  return new Set(sizes).size === 1 ? String(sizes[0]) : sizes.join('×')
}

const spatialOf = (value: Value, bindings: Bindings) => value.shape.slice(2).map(dim => evaluate(dim, bindings))

const dataOf = (node: Node) =>
  node.inputs.filter((input): input is Value => input !== undefined && input.data === undefined && !input.ints)

/** The field of what a node reads. */
export function fieldBefore(node: Node, known: ReadonlyMap<Value, Field>, bindings: Bindings): Field {
  const data = dataOf(node)
  // A gate of one element a channel scales what it is multiplied with, and leaves its field.
  const broadcast = (value: Value) => value.rank > 2 && spatialOf(value, bindings).every(size => size === 1)
  const wide = node.op === 'Concat' || data.every(broadcast) ? data : data.filter(value => !broadcast(value))
  return wide.map(value => known.get(value) ?? point(value)).reduce(longest, { size: [], jump: [] } as Field)
}

export function fieldOf(node: Node, known: ReadonlyMap<Value, Field>, bindings: Bindings): Field {
  const spatial = (value: Value) => spatialOf(value, bindings)
  const data = dataOf(node)
  const input = fieldBefore(node, known, bindings)
  if (input === 'whole') return input
  const rank = input.size.length
  const per = (name: string, fallback: number) => node.list(name) ?? new Array<number>(rank).fill(fallback)
  switch (node.op) {
    case 'Conv':
    case 'ConvInteger':
    case 'QLinearConv':
    case 'MaxPool':
    case 'AveragePool': {
      const weights = node.op === 'QLinearConv' ? 3 : 1
      const kernel = node.list('kernel_shape') ?? spatial(node.inputs[weights]!)
      const dilations = per('dilations', 1)
      return window(
        input,
        kernel.map((k, axis) => (k - 1) * dilations[axis]),
        per('strides', 1)
      )
    }
    case 'ConvTranspose': {
      const kernel = node.list('kernel_shape') ?? spatial(node.inputs[1]!)
      const strides = per('strides', 1)
      const taps = kernel.map((k, axis) => Math.ceil(k / strides[axis]) - 1)
      return window(
        input,
        taps,
        strides.map(s => 1 / s)
      )
    }
    case 'Resize':
    case 'Upsample': {
      const [from, to] = [spatial(data[0]), spatial(node.output)]
      const taps = node.text('mode', 'nearest') === 'nearest' ? 0 : node.text('mode', '') === 'cubic' ? 3 : 1
      return window(
        input,
        from.map((size, axis) => (size === to[axis] ? 0 : taps)),
        from.map((size, axis) => size / to[axis])
      )
    }
    case 'SpaceToDepth':
    case 'DepthToSpace': {
      const block = node.number('blocksize', 1)
      const grows = node.op === 'SpaceToDepth'
      return window(input, new Array(rank).fill(grows ? block - 1 : 0), new Array(rank).fill(grows ? block : 1 / block))
    }
    case 'Slice': {
      const steps = node.inputs[4]?.data
      const axes = node.inputs[3]?.data ?? steps?.map((_, i) => i)
      const jump = [...input.jump]
      steps?.forEach((step, i) => {
        const axis = (axes![i] < 0 ? axes![i] + data[0].rank : axes![i]) - 2
        if (axis >= 0) jump[axis] *= Math.abs(step)
      })
      return { size: input.size, jump }
    }
    case 'GlobalAveragePool':
    case 'GlobalMaxPool':
    case 'Gemm':
    case 'MatMul':
    case 'MatMulInteger':
    case 'QLinearMatMul':
      return 'whole'
    case 'Flatten':
    case 'Reshape':
    case 'ReduceMean':
    case 'ReduceMax':
    case 'ReduceSum':
      return collapses(node, spatial) ? 'whole' : input
    default:
      return input
  }
}

/** Whether spatial axes of more than one element are gone behind the node. */
function collapses(node: Node, spatial: (value: Value) => number[]): boolean {
  const input = node.inputs[0]!
  const had = input.rank > 2 && spatial(input).some(size => size > 1)
  return (
    had && (node.output.rank < 3 || (node.op.startsWith('Reduce') && spatial(node.output).every(size => size === 1)))
  )
}

function window(input: Exclude<Field, 'whole'>, reach: readonly number[], step: readonly number[]): Field {
  return {
    size: input.size.map((size, axis) => size + reach[axis] * input.jump[axis]),
    jump: input.jump.map((jump, axis) => jump * step[axis])
  }
}

/** An input of the graph: each element sees itself. */
function point(value: Value): Field {
  const ones = new Array<number>(Math.max(value.rank - 2, 0)).fill(1)
  return { size: ones, jump: ones }
}

function longest(a: Field, b: Field): Field {
  if (a === 'whole' || b === 'whole') return 'whole'
  if (a.size.length !== b.size.length) return a.size.length > b.size.length ? a : b
  const total = (field: typeof a) => field.size.reduce((sum, size) => sum + size, 0)
  return total(b) > total(a) ? b : a
}
