import { type Dim, isStatic } from '../algebra/index.js'
import { type Attribute, type Graph, Node, type Value } from '../graph/index.js'
import { inferNode } from './node.js'

/** Adds nodes to a graph, in front of one that is there or behind all; their names begin with `stem`. */
export class Writer {
  /** What has been added, in order. */
  readonly made: Node[] = []

  constructor(
    readonly graph: Graph,
    private readonly stem: string,
    private readonly before?: Node
  ) {}

  add(op: string, inputs: readonly (Value | undefined)[], attributes: Record<string, Attribute> = {}): Value {
    return this.addMany(op, inputs, 1, attributes)[0]
  }

  /** A node of several outputs. */
  addMany(
    op: string,
    inputs: readonly (Value | undefined)[],
    outputs: number,
    attributes: Record<string, Attribute> = {}
  ): Value[] {
    const node = new Node(op, this.graph.unique(this.stem), new Map(Object.entries(attributes)))
    this.graph.insert(node, inputs, outputs, this.before)
    this.made.push(node)
    inferNode(node, this.graph.folding)
    return node.outputs
  }

  scalar(number: number): Value {
    return this.graph.constant(this.graph.unique(this.stem), Float32Array.of(number), [])
  }

  /** A list of sizes, such as a Reshape takes: a constant where all are known. */
  sizes(sizes: readonly Dim[]): Value {
    const name = this.graph.unique(this.stem)
    if (isStatic(sizes)) return this.graph.constant(name, Float64Array.from(sizes), [sizes.length], 'int64')
    const value = this.graph.constant(name, new Float64Array(0), [sizes.length], 'int64')
    value.data = undefined
    value.ints = sizes
    return value
  }

  /** A size as a number to compute with, of one element. */
  size(size: Dim): Value {
    return typeof size === 'number' ? this.scalar(size) : this.sizes([size])
  }

  reshape(value: Value, shape: readonly Dim[]): Value {
    return this.add('Reshape', [value, this.sizes(shape)])
  }
}
