import { mostMemory } from '../../runtime/backend/index.js'
import type { DType } from '../../runtime/file/index.js'
import { type Dim, foundIn, isFound, same, show } from '../algebra/index.js'
import { CompileError } from '../errors.js'

/**
 * The graph that the passes rewrite: nodes in execution order, values between them. Shapes are ONNX's logical shapes
 * (N, C, spatial) throughout; how a value lies in memory is its `order`, which only the layout pass changes.
 */

export { type DType, dtypes } from '../../runtime/file/index.js'

/** A constant's elements; numbers of every dtype, 64-bit integers as doubles. */
export type Elements = Float32Array | Float64Array

export type Attribute = number | string | readonly number[] | readonly string[] | Tensor | Branch

export interface Tensor {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly data: Elements
}

/** An axis of which a run finds something, and the value that holds how much; its operator gives the shape of the most there can be. */
export interface Counted {
  readonly axis: number
  readonly by: Value
}

/** A graph within a node, which is imported only where it runs, and as often. */
export interface Branch {
  /** Puts its nodes in front of the node that holds it, under names of their own, for these inputs; gives its outputs. */
  inline(holder: Node, inputs?: readonly Value[]): Value[]
}

/** Whole numbers of 8 bits, and what makes floats of them: (element - zero) * scale, one of each or one for each index of `axis`. */
export interface Quantised {
  readonly data: Elements
  readonly dtype: DType
  readonly scale: Elements
  readonly zero: Elements
  readonly axis: number
}

export class Value {
  /** Elements of a constant, dense in `order`. */
  data?: Elements
  /** Known contents of a small integer tensor, possibly symbolic: what shape arithmetic computes with. */
  ints?: readonly Dim[]
  /** Of what an operator finds: how much only a run knows (compiler/ops/counted.ts). */
  counted?: Counted
  producer?: Node
  /** One entry per use: a node that reads the value twice stands here twice. */
  readonly users: Node[] = []
  /** Logical axes from outermost to innermost in memory. */
  order: readonly number[] = []
  /** Of a sequence, until inference has resolved what reads it: its tensors. */
  elements?: readonly Value[]
  /** Memory holds its elements as bytes from 0 to 255: those of int8 with 128 on top. */
  narrow = false
  /** Of a constant that DequantizeLinear has made: what it was made of. */
  quantised?: Quantised

  constructor(
    readonly name: string,
    public dtype: DType = 'float32',
    public shape: readonly Dim[] = []
  ) {}

  get rank(): number {
    return this.shape.length
  }
}

export class Node {
  readonly inputs: (Value | undefined)[] = []
  readonly outputs: Value[] = []
  /** Pairs of dimensions that inference took for equal, to be checked once they are bound. */
  constraints: (readonly [Dim, Dim])[] = []

  constructor(
    public op: string,
    readonly name: string,
    readonly attributes: Map<string, Attribute> = new Map()
  ) {}

  get output(): Value {
    return this.outputs[0]
  }

  /** Trusts that two dimensions will turn out equal; two numbers that differ are told at once, as is what only a run finds. */
  expectEqual(a: Dim, b: Dim): boolean {
    if (typeof a === 'number' && typeof b === 'number') return a === b
    if (same(a, b)) return true
    for (const [one, other] of [
      [a, b],
      [b, a]
    ])
      if (isFound(one))
        throw new CompileError(
          `${this.op} "${this.name}": takes ${show(one)} for ${show(other)}, but only the run knows how many there are of "${foundIn(one)[0].name}"`
        )
    this.constraints.push([a, b])
    return true
  }

  number(name: string, fallback: number): number {
    return this.attribute(name, 'a number', value => typeof value === 'number') ?? fallback
  }

  text(name: string, fallback: string): string {
    return this.attribute(name, 'a string', value => typeof value === 'string') ?? fallback
  }

  list(name: string): readonly number[] | undefined {
    return this.attribute<readonly number[]>(name, 'a list of numbers', value => Array.isArray(value))
  }

  /** Throws CompileError when the attribute is there with another type. */
  private attribute<T>(name: string, what: string, fits: (value: Attribute) => boolean): T | undefined {
    const value = this.attributes.get(name)
    if (value === undefined || fits(value)) return value as T | undefined
    throw new CompileError(`${this.op} "${this.name}": attribute ${name} must be ${what}`)
  }
}

/** Elements of the largest constant that is made; larger ones are left to run: folding them would bloat the file. */
export const largestFolded = 2 ** 24

/** The same of weights whose elements are all equal, of which a file holds one, unless they are of 8 bits. */
export const largestEqual = 2 ** 28

/** What computing when compiling may take, and what it has learnt on the way. */
export interface Folding {
  /** Bytes of results. */
  bytes: number
  /** Steps of the references that compute them. */
  work: number
  /** Sizes of the model's tensors as text, but for plain numbers: none is negative where the model runs. */
  readonly sizes: Set<string>
  /** Pairs of dimensions that shape arithmetic takes for equal, by their text. */
  readonly assumed: Map<string, Assumption>
  assume(a: Dim, b: Dim, node: Node): void
}

/** Two dimensions that have to be equal once they are bound, and what says so. */
export interface Assumption {
  readonly a: Dim
  readonly b: Dim
  readonly where: string
}

function newFolding(): Folding {
  const assumed = new Map<string, Assumption>()
  return {
    bytes: mostMemory,
    work: mostFolding,
    sizes: new Set(),
    assumed,
    assume(a, b, { op, name }) {
      if (isFound(a) || isFound(b))
        throw new CompileError(`${op} "${name}": takes ${show(a)} for ${show(b)}, of which only the run knows`)
      assumed.set(`${show(a)}=${show(b)}`, { a, b, where: `${op} "${name}"` })
    }
  }
}

/** What loops may make, node by node. */
const mostUnrolled = 2 ** 15

/** About a minute; what would take longer is left to run. */
const mostFolding = 2 ** 30

export class Graph {
  nodes: Node[] = []
  inputs: Value[] = []
  /** What a training step changes: parameters and the optimiser's moments, kept from run to run. */
  states: Value[] = []
  outputs: Value[] = []
  /** What the caller gave each output; a rewrite may put another value in the output's place. */
  outputNames: string[] = []
  /** Element types of the outputs as the model declares them; inside, every float is single precision. */
  outputTypes: DType[] = []
  /** Names of the model's own functions, by domain; their bodies stand where they were called. */
  functions: ReadonlyMap<string, ReadonlySet<string>> = new Map()
  /** What constants that the compiler computes may still take. */
  readonly folding: Folding = newFolding()
  /** Nodes that loops may still make. */
  unrolling = mostUnrolled
  /** How much a run finds of the outputs, by the dimension; kept as outputs are. */
  counts: ReadonlyMap<string, Value> = new Map()
  private fresh = 0

  constructor(readonly name: string) {}

  constant(name: string, data: Elements, shape: readonly number[], dtype: DType = 'float32'): Value {
    const value = new Value(name, dtype, shape)
    value.data = data
    return value
  }

  /** A name that no other value or node of this graph has. */
  unique(stem: string): string {
    return `${stem}#${++this.fresh}`
  }

  /** Puts a new node before `before` (or last); its outputs are made here. */
  insert(node: Node, inputs: readonly (Value | undefined)[], outputs: number | readonly Value[], before?: Node): Node {
    const at = before ? this.nodes.indexOf(before) : this.nodes.length
    this.nodes.splice(at, 0, node)
    for (const input of inputs) this.addInput(node, input)
    const made =
      typeof outputs === 'number' ? Array.from({ length: outputs }, () => new Value(this.unique(node.name))) : outputs
    for (const value of made) {
      value.producer = node
      node.outputs.push(value)
    }
    return node
  }

  addInput(node: Node, value: Value | undefined): void {
    node.inputs.push(value)
    value?.users.push(node)
  }

  setInput(node: Node, index: number, value: Value | undefined): void {
    const old = node.inputs[index]
    if (old) removeOnce(old.users, node)
    while (node.inputs.length <= index) node.inputs.push(undefined)
    node.inputs[index] = value
    value?.users.push(node)
  }

  /** Every reader of `from` reads `to` from now on, the graph's outputs included. */
  replace(from: Value, to: Value): void {
    for (const user of new Set(from.users))
      user.inputs.forEach((input, index) => {
        if (input === from) this.setInput(user, index, to)
      })
    this.outputs = this.outputs.map(output => (output === from ? to : output))
    this.counts = new Map([...this.counts].map(([dim, value]) => [dim, value === from ? to : value]))
  }

  /** Takes out a node whose outputs nobody reads. */
  remove(node: Node): void {
    node.inputs.forEach((_, index) => this.setInput(node, index, undefined))
    this.nodes.splice(this.nodes.indexOf(node), 1)
  }

  /** Takes out a node with one data input and one output, joining what stood before it to what stands behind. */
  bypass(node: Node, value: Value = node.inputs[0]!): void {
    this.replace(node.output, value)
    this.remove(node)
  }

  isOutput(value: Value): boolean {
    return this.outputs.includes(value) || [...this.counts.values()].includes(value)
  }

  /** The only reader of `value`, when it has exactly one and is no output of the graph. */
  onlyUser(value: Value): Node | undefined {
    return value.users.length === 1 && !this.isOutput(value) ? value.users[0] : undefined
  }

  get values(): Set<Value> {
    const all = new Set<Value>([...this.inputs, ...this.states])
    for (const node of this.nodes) {
      for (const input of node.inputs) if (input) all.add(input)
      for (const output of node.outputs) all.add(output)
    }
    for (const output of [...this.outputs, ...this.counts.values()]) all.add(output)
    return all
  }
}

export function isConstant(value: Value | undefined): value is Value & { data: Elements } {
  return value?.data !== undefined
}

function removeOnce<T>(list: T[], item: T): void {
  const at = list.indexOf(item)
  if (at >= 0) list.splice(at, 1)
}
