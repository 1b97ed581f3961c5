import type { Dim } from '../../compiler/algebra/index.js'
import { type Graph, isConstant, type Node, type Value } from '../../compiler/graph/index.js'
import type { Built } from '../../compiler/index.js'
import { type ImportOptions, importOnnx } from '../../compiler/onnx/index.js'
import { capacity, ops } from '../../compiler/ops/index.js'
import { foldConstants, removeIdentity } from '../../compiler/passes/index.js'
import { type Bindings, evaluate } from '../../runtime/file/index.js'
import { shape, table } from '../terminal/index.js'
import { type Field, fieldOf, showField } from './receptive.js'

/** A network as its paper lists it: one row a layer, before any fusion. */
export interface Layer {
  readonly name: string
  readonly op: string
  readonly output: readonly number[]
  readonly weights: readonly number[] | undefined
  readonly parameters: number
  readonly macs: number
  readonly field: Field
  /** What runs it; undefined where a pass has made it part of another layer, or nothing. */
  readonly kernel?: LayerKernel
}

/** A layer's kernel, and the others that could run it with their estimated cost against it. */
export interface LayerKernel {
  readonly name: string
  readonly others: readonly { readonly kernel: string; readonly cost: number }[]
}

/** Kernels by the node that they run, of a compiled model. */
export function kernelsOf({ program, choices }: Pick<Built, 'program' | 'choices'>): Map<string, LayerKernel> {
  const found = new Map<string, LayerKernel>()
  for (const { node, kernel } of program.calls) {
    const choice = choices.get(node)
    const name = choice?.chosen ?? program.kernels[kernel].name
    const own = choice?.choices.find(each => each.kernel === name)?.cost ?? 1
    const others = (choice?.choices ?? [])
      .filter(each => each.kernel !== name)
      .map(each => ({ kernel: each.kernel, cost: each.cost / own }))
    if (!found.has(node) || !choice) found.set(node, { name, others })
  }
  return found
}

/** The operands that training would change; a batch normalisation's statistics are none. */
const learnable: Readonly<Record<string, readonly number[]>> = {
  Conv: [1, 2],
  ConvTranspose: [1, 2],
  Gemm: [0, 1, 2],
  MatMul: [0, 1],
  ConvInteger: [1],
  MatMulInteger: [1],
  QLinearConv: [3, 8],
  QLinearMatMul: [3],
  BatchNormalization: [1, 2],
  InstanceNormalization: [1, 2],
  GroupNormalization: [1, 2],
  LayerNormalization: [1, 2],
  PRelu: [1],
  Add: [0, 1],
  Sub: [0, 1],
  Mul: [0, 1],
  Div: [0, 1]
}

/** The graph as imported, with shapes; shape arithmetic, Dropout and Identity are gone. */
export function originalGraph(bytes: Uint8Array, options: ImportOptions): Graph {
  const graph = importOnnx(bytes, options)
  foldConstants.run(graph)
  removeIdentity.run(graph)
  return graph
}

export function layersOf(graph: Graph, bindings: Bindings, kernels: ReadonlyMap<string, LayerKernel>): Layer[] {
  const fields = new Map<Value, Field>()
  const counted = new Set<Value>()
  const numbers = (dims: readonly Dim[]) => dims.map(dim => evaluate(capacity(dim), bindings))
  const layers: Layer[] = []
  for (const node of graph.nodes) {
    const field = fieldOf(node, fields, bindings)
    for (const output of node.outputs) fields.set(output, field)
    const own = learnableOf(node)
    const fresh = own.filter(value => !counted.has(value))
    for (const value of fresh) counted.add(value)
    layers.push({
      name: node.name,
      op: node.op,
      output: numbers(node.output.shape),
      weights: own.length ? numbers(own[0].shape) : undefined,
      parameters: fresh.reduce((sum, value) => sum + value.data.length, 0),
      macs: evaluate(capacity(ops[node.op].macs?.(node) ?? 0), bindings),
      field,
      kernel: kernels.get(node.name)
    })
  }
  return layers
}

function learnableOf(node: Node): (Value & { data: NonNullable<Value['data']> })[] {
  // A constant of one element in plain arithmetic is a factor of the formula, not a weight.
  const least = ['Add', 'Sub', 'Mul', 'Div'].includes(node.op) ? 2 : 1
  return (learnable[node.op] ?? [])
    .map(index => node.inputs[index])
    .map(value => dequantised(value) ?? (value?.dtype.startsWith('float') || isOfIntegers(node) ? value : undefined))
    .filter(isConstant)
    .filter(value => value.data.length >= least)
}

/** The whole numbers that a layer's floats are made of. */
function dequantised(value: Value | undefined): Value | undefined {
  const made = value?.producer
  return made?.op === 'DequantizeLinear' && isConstant(made.inputs[0]) ? made.inputs[0] : undefined
}

const isOfIntegers = ({ op }: Node) => op.endsWith('Integer') || op.startsWith('QLinear')

export interface Totals {
  readonly layers: number
  readonly parameters: number
  readonly macs: number
  /** The receptive field of the last layer that does not see the whole input anyway. */
  readonly field: string
}

export function totalsOf(layers: readonly Layer[]): Totals {
  const windowed = layers.filter(({ field }) => field !== 'whole' && field.size.length > 0)
  return {
    layers: layers.length,
    parameters: layers.reduce((sum, layer) => sum + layer.parameters, 0),
    macs: layers.reduce((sum, layer) => sum + layer.macs, 0),
    field: windowed.length ? showField(windowed[windowed.length - 1].field) : 'whole input'
  }
}

const number = (value: number) => (value ? value.toLocaleString('en-US') : '')

export const layerHeader = [
  'layer',
  'type',
  'output',
  'weights',
  'parameters',
  'MACs',
  'receptive field',
  'jump',
  'kernel',
  'others, and their cost'
]

export function layerRows(layers: readonly Layer[]): string[][] {
  return layers.map(({ name, op, output, weights, parameters, macs, field, kernel }) => [
    name,
    op,
    shape(output),
    weights ? shape(weights) : '',
    number(parameters),
    number(macs),
    showField(field),
    field === 'whole' ? '' : showSizes(field.jump),
    kernel?.name ?? '',
    kernel?.others.map(other => `${other.kernel} ×${other.cost.toFixed(2)}`).join(', ') ?? ''
  ])
}

const showSizes = (sizes: readonly number[]) =>
  new Set(sizes).size === 1 ? String(+sizes[0].toFixed(3)) : sizes.map(s => +s.toFixed(3)).join('×')

export function layerTable(layers: readonly Layer[]): string {
  const { parameters, macs } = totalsOf(layers)
  const total = ['total', '', '', '', number(parameters), number(macs), '', '', '', '']
  const right = new Array<'right'>(6).fill('right')
  const align = ['left', 'left', ...right, 'left', 'left'] as const
  return table(layerHeader, [...layerRows(layers), total], align)
}
