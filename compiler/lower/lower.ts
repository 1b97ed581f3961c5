import type {
  Argument,
  Call,
  Constant,
  Constraint,
  Count,
  Fault,
  Held,
  KernelInfo,
  Packing,
  Port,
  Program,
  Stored
} from '../../runtime/file/index.js'
import { add, type Dim, freeNamesOf, product, same, show } from '../algebra/index.js'
import { CompileError, refuse } from '../errors.js'
import {
  areHalves,
  type Choice,
  type Counted,
  type Elements,
  type Graph,
  isConstant,
  lostAsHalves,
  Node,
  type Value,
  type WinogradTile
} from '../graph/index.js'
import {
  countedAxis,
  emitCopy,
  emitWiden,
  type Kernel,
  kindOf,
  type Lowering,
  numbered,
  ops,
  orderedStrides,
  orderOf,
  plainOrder,
  settle,
  unaryKernel,
  type View,
  widened
} from '../ops/index.js'
import { cheapest, variantsOf, withinBudget } from './budget.js'
import { place } from './place.js'

/** Graph to Program: places every value, then lets each operator emit its calls. */
export interface Preferences {
  /** How the file stores constants; without it as single precision, but for `keepHalves`. As int8 it stores weights alone. */
  readonly weights?: Stored | 'int8'
  /** Without `weights`, stores as halves what halves hold exactly. */
  readonly keepHalves?: boolean
  readonly winograd?: WinogradTile
  /** Kernels to take wherever they can run a layer, the first that can. */
  readonly kernels?: readonly string[]
  /** Told of every node for which there was a choice. */
  readonly onChoice?: (node: string, choices: readonly Choice[], chosen: string) => void
  /** Told in a line what is otherwise than was asked for. */
  readonly onNote?: (note: string) => void
}

export function lower(graph: Graph, preferences: Preferences = {}): Program {
  const counted = graph.outputs.map(output => {
    const axis = countedAxis(output)
    return axis === undefined ? undefined : { axis, by: graph.counts.get(show(output.shape[axis]))! }
  })
  settle(graph)
  const { views, storages, narrow } = place(graph)
  const variants = variantsOf(graph, preferences.winograd)
  const moved = withinBudget(graph, variants)
  const builder = new Builder(views, storages, narrow, preferences, variants, moved)
  for (const state of graph.states) builder.derivedLengths.push(product(state.shape) as number)
  for (const node of graph.nodes) {
    const op = ops[node.op]
    if (!op?.lower)
      throw refuse(node, 'cannot run: it is left over from shape arithmetic that is not known when compiling')
    builder.begin(node)
    op.lower(node, builder)
  }
  const port = (value: Value, name: string, dtype: string, view: View): Port => ({
    name,
    dtype,
    shape: value.shape,
    storage: view.index,
    offset: view.offset
  })
  const inputs = graph.inputs.map(value => port(value, value.name, value.dtype, views.get(value)!))
  const claimed = new Set(inputs.map(input => input.storage))
  const outputs = graph.outputs.map((value, i) =>
    port(value, graph.outputNames[i], graph.outputTypes[i], builder.output(value, claimed))
  )
  if (builder.computed)
    preferences.onNote?.(
      `${builder.computed} numbers of the float16 model are not halves once folded and stay float32; weights f16 rounds them`
    )
  const names = new Set<string>()
  for (const value of graph.values) for (const dim of value.shape) freeNamesOf(dim, names)
  return {
    name: graph.name,
    free: [...names].sort(),
    inputs,
    outputs,
    counts: builder.counts(counted, claimed),
    faults: builder.faults,
    storages: builder.storages,
    narrow: builder.narrow,
    constants: builder.constants,
    derived: builder.derivedLengths,
    states: graph.states.map(({ name, shape }) => ({ name, shape: shape as number[] })),
    setup: builder.setup,
    kernels: builder.kernels,
    calls: builder.calls,
    constraints: constraintsOf(graph),
    parameters: parametersOf(graph),
    macs: add(...graph.nodes.map(node => ops[node.op].macs?.(node) ?? 0))
  }
}

class Builder implements Lowering {
  readonly constants: Constant[] = []
  readonly kernels: KernelInfo[] = []
  readonly derivedLengths: number[] = []
  readonly setup: Call[] = []
  readonly faults: Fault[] = []
  calls: Call[] = []
  private readonly constantIndex = new Map<string, number>()
  private readonly derivedIndex = new Map<string, number>()
  private readonly kernelIndex = new Map<string, number>()
  private node = new Node('Copy', 'output')
  /** Numbers of a model of halves that are none any more. */
  computed = 0

  constructor(
    private readonly views: Map<Value, View>,
    readonly storages: Dim[],
    readonly narrow: number[],
    private readonly preferences: Preferences,
    private readonly known: ReadonlyMap<Node, readonly Choice[]>,
    /** Kernels of nodes whose fastest would hold too much memory. */
    private readonly moved: ReadonlyMap<Node, string>
  ) {}

  get weights(): Stored {
    return this.preferences.weights === 'f16' ? 'f16' : 'f32'
  }

  variants(node: Node): readonly Choice[] {
    return this.known.get(node)!
  }

  choose(choices: readonly Choice[]): string {
    const { kernels = [], onChoice } = this.preferences
    const preferred = kernels.find(name => choices.some(({ kernel }) => kernel === name))
    const chosen = preferred ?? this.moved.get(this.node) ?? cheapest(choices).kernel
    onChoice?.(this.node.name, choices, chosen)
    return chosen
  }

  begin(node: Node): void {
    this.node = node
    if (this.weights === 'f16' && ops[node.op].macs && !node.output.dtype.startsWith('float'))
      throw refuse(node, 'multiplies integers, whose sums halves cannot hold; weights f32 are allowed')
  }

  view(value: Value): View {
    const known = this.views.get(value)
    if (known) return known
    const view = isConstant(value)
      ? { ...this.constant(value.name, () => value.data), shape: value.shape, order: orderOf(value) }
      : this.symbolic(value)
    const made = { ...view, strides: orderedStrides(value.shape, view.order) }
    this.views.set(value, made)
    return made
  }

  dense(value: Value, order: readonly number[] = orderOf(value)): View {
    const view = this.view(value)
    const strides = orderedStrides(value.shape, order)
    if (strides.every((stride, axis) => view.shape[axis] === 1 || same(stride, view.strides[axis]))) return view
    const copy = this.scratch(value.shape, order, view.narrow)
    emitCopy(this, this.node, view, copy)
    return copy
  }

  scratch(shape: readonly Dim[], order: readonly number[] = plainOrder(shape.length), narrow = false): View {
    const index = this.storages.push(product(shape)) - 1
    if (narrow) this.narrow.push(index)
    return { space: 'storage', index, offset: 0, shape, strides: orderedStrides(shape, order), order, narrow }
  }

  constant(key: string, elements: () => Elements, packing?: Packing, kept: Held = 'f32'): View {
    if (packing && kept === 'f32' && this.storesBytes(packing)) return widened(this, key, elements(), packing)
    let index = this.constantIndex.get(key)
    if (index === undefined) {
      index = this.constants.length
      const given = elements()
      const data = given instanceof Float32Array ? given : Float32Array.from(given)
      const packed = packing ?? { groups: 1, rows: 1, columns: data.length, panel: 0 }
      const { weights, keepHalves } = this.preferences
      const lost = weights === 'f16' && kept !== 'i8' ? lostAsHalves(data) : undefined
      if (lost) this.preferences.onNote?.(`${this.node.op} "${this.node.name}": "${key}" stays float32: ${lost}`)
      const asHalves = weights ? weights === 'f16' && !lost : keepHalves && areHalves(data)
      const stored = kept === 'i8' ? kept : asHalves ? 'f16' : 'f32'
      if (keepHalves && !asHalves && kept !== 'i8') this.computed += data.length
      if (kept === 'f16' && stored !== 'f16') throw refuse(this.node, `cannot keep "${key}" as halves`)
      this.constants.push({ name: key, stored, kept, data, ...packed })
      this.constantIndex.set(key, index)
    }
    const { length } = this.constants[index].data
    return { space: 'constant', index, offset: 0, shape: [length], strides: [1], order: [0], narrow: kept === 'i8' }
  }

  /** Weights that are stored in 8 bits; of layers that multiply whole numbers every bit counts, and few are not worth a call. */
  private storesBytes({ groups, rows, columns }: Packing): boolean {
    const isFloat = this.node.output.dtype.startsWith('float')
    return this.preferences.weights === 'int8' && isFloat && groups * rows * columns >= fewestBytes
  }

  derived(key: string, length: number, setup: (view: View) => void): View {
    const known = this.derivedIndex.get(key)
    const index = known ?? this.derivedLengths.push(length) - 1
    const view: View = { space: 'derived', index, offset: 0, shape: [length], strides: [1], order: [0] }
    if (known !== undefined) return view
    this.derivedIndex.set(key, index)
    const calls = this.calls
    this.calls = this.setup
    setup(view)
    this.calls = calls
    return view
  }

  fault(of: Pick<Fault, 'of' | 'axis' | 'size'>): View {
    const own = this.scratch([2])
    this.faults.push({ ...of, storage: own.index, offset: 0 })
    return own
  }

  call<F extends string, A extends string>(
    kernel: Kernel<F, A>,
    parameters: Readonly<Record<F, Dim>>,
    buffers: Readonly<Record<A, View>>
  ): void {
    let index = this.kernelIndex.get(kernel.name)
    if (index === undefined) {
      index = this.kernels.length
      const letters = Object.values<string>(kernel.fields).map(type => type[0])
      this.kernels.push({ name: kernel.name, fields: letters.join('') })
      this.kernelIndex.set(kernel.name, index)
    }
    const names = Object.keys(kernel.fields) as F[]
    this.calls.push({
      kernel: index,
      node: this.node.name,
      parameters: names.map(name => parameters[name]),
      arguments: (Object.keys(kernel.buffers) as A[]).map(
        (name): Argument => ({
          space: buffers[name].space,
          index: buffers[name].index,
          offset: buffers[name].offset,
          access: kernel.buffers[name]
        })
      )
    })
  }

  /** A plain dense view of an output in a storage of its own, copied there where it lies otherwise. */
  output(value: Value, claimed: Set<number>): View {
    const view = this.view(value)
    const strides = orderedStrides(value.shape, plainOrder(value.rank))
    const dense = strides.every((stride, axis) => value.shape[axis] === 1 || same(stride, view.strides[axis]))
    if (dense && !view.narrow && view.space === 'storage' && !claimed.has(view.index)) {
      claimed.add(view.index)
      return view
    }
    const own = this.scratch(value.shape)
    claimed.add(own.index)
    if (value.producer) this.node = value.producer
    if (view.narrow) emitWiden(this, this.node, value, view, own)
    else emitCopy(this, this.node, view, own)
    return own
  }

  /** What tells how much there is of the outputs, each for all axes that it counts. */
  counts(outputs: readonly (Counted | undefined)[], claimed: Set<number>): Count[] {
    const counted = outputs.flatMap((own, output) => (own ? [{ ...own, output }] : []))
    return [...new Set(counted.map(({ by }) => by))].map(value => {
      const { index, offset } = this.output(value, claimed)
      const cuts = counted.filter(({ by }) => by === value).map(({ output, axis }) => ({ output, axis }))
      return { storage: index, offset, cuts }
    })
  }

  /** A small integer tensor that depends on free dimensions: written element by element when a run needs it. */
  private symbolic(value: Value): View {
    if (!value.ints) throw new CompileError(`"${value.name}" is used before anything produces it`)
    const target = this.scratch(value.shape)
    const zero = this.constant('#zero', () => new Float32Array(1))
    value.ints.forEach((dim, i) => {
      const ones = numbered('d', new Array(6).fill(1))
      const none = new Array(6).fill(0)
      this.call(
        unaryKernel,
        { ...ones, ...numbered('x', none), ...numbered('y', none), act: kindOf('affine'), alpha: 0, beta: dim },
        { x: zero, y: { ...target, offset: i } }
      )
    })
    return target
  }
}

const fewestBytes = 256

/** Dimensions that only a binding can compare, once each. */
function constraintsOf(graph: Graph): Constraint[] {
  const found = new Map<string, Constraint>(graph.folding.assumed)
  for (const node of graph.nodes)
    for (const [a, b] of node.constraints)
      found.set(`${show(a)}=${show(b)}`, { a, b, where: `${node.op} "${node.name}"` })
  return [...found.values()]
}

function parametersOf(graph: Graph): number {
  const constants = new Set<Value>()
  for (const node of graph.nodes) for (const input of node.inputs) if (isConstant(input)) constants.add(input)
  return [...constants]
    .filter(c => c.dtype.startsWith('float') || c.dtype === 'int8')
    .reduce((sum, c) => sum + c.data!.length, 0)
}
