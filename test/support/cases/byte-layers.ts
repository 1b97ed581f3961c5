// Graphs of layers of bytes, made by hand as the quantise pass makes them, between floats that are bytes themselves.
import { type Attribute, Graph, Node, Value } from '../../../compiler/graph/index.js'
import { lower } from '../../../compiler/lower/index.js'
import { channelsLastOrder, ops } from '../../../compiler/ops/index.js'
import { evaluate } from '../../../runtime/file/dims.js'
import type { Program } from '../../../runtime/file/program.js'
import type { Bindings } from '../onnx/oracle.js'
import type { Random } from '../random.js'

type Size = number | { readonly terms: readonly { factor: number; atoms: { op: 'free'; name: string }[] }[] }

/** A free dimension. */
export const free = (name: string): Size => ({ terms: [{ factor: 1, atoms: [{ op: 'free', name }] }] })

export class ByteLayers {
  private readonly graph = new Graph('bytes')

  constructor(readonly random: Random) {}

  /** An input of floats. */
  floats(shape: readonly Size[]): Value {
    const value = new Value(`x${this.graph.inputs.length}`, 'float32', shape)
    this.graph.inputs.push(value)
    return value
  }

  /** An input of floats as bytes, its elements by default. */
  bytes(shape: readonly Size[], scale = 1, zero = 0): Value {
    return this.add('QuantizeLinear', [
      this.floats(shape),
      this.numbers([scale], []),
      this.numbers([zero], [], 'uint8')
    ])
  }

  numbers(
    data: readonly number[],
    shape: readonly number[] = [data.length],
    dtype: 'float32' | 'uint8' | 'int8' = 'float32'
  ) {
    return this.graph.constant(this.graph.unique('c'), Float32Array.from(data), shape, dtype)
  }

  /** Whole numbers of 8 bits, of which the ends of the range are many. */
  weights(shape: readonly number[]): Value {
    const { random } = this
    const count = shape.reduce((a, b) => a * b, 1)
    const data = random.ints(count, [-128, 127]).map(each => (random.chance(0.2) ? random.pick([-128, 127, 0]) : each))
    return this.numbers(data, shape, 'int8')
  }

  /** A scale and a bias for each filter of sums of `count` products, far apart but such that results are of all sizes. */
  vectors(filters: number, count: number): [Value, Value] {
    const { random } = this
    const usual = 60 / (5000 * Math.sqrt(count))
    const scales = Array.from({ length: filters }, () => usual * random.uniform(0.5, 2) * 2 ** random.int(-3, 3))
    return [this.numbers(scales), this.numbers(random.values(filters, [-60, 60]))]
  }

  /** Zero points and bounds; mostly all bytes are allowed. */
  bounds(): Record<string, number> {
    const { random } = this
    const [low, high] = random.chance(0.6) ? [0, 255] : [random.int(0, 100), random.int(150, 255)]
    return { xZero: random.pick([0, 255, 128, random.int(0, 255)]), yZero: random.int(0, 255), low, high }
  }

  add(op: string, inputs: readonly Value[], attributes: Readonly<Record<string, Attribute>> = {}): Value {
    const node = new Node(op, this.graph.unique(op), new Map(Object.entries(attributes)))
    this.graph.insert(node, inputs, 1)
    ops[op].infer(node)
    const { output } = node
    output.narrow = output.dtype !== 'float32' && output.dtype !== 'int32'
    if (op !== 'DequantizeLinear') output.order = channelsLastOrder(output.rank)
    return output
  }

  conv(x: Value, [filters, ...kernel]: readonly number[], attributes: Readonly<Record<string, Attribute>> = {}): Value {
    const group = Number(attributes.group ?? 1)
    const channels = Number(x.shape[1]) / group
    const weights = this.weights([filters, channels, ...kernel])
    const vectors = this.vectors(filters, weights.data!.length / filters)
    return this.add('Conv8', [x, weights, ...vectors], { ...this.bounds(), ...attributes })
  }

  gemm(x: Value, columns: number, transB = 0): Value {
    const inner = Number(x.shape[1])
    const weights = this.weights(transB ? [columns, inner] : [inner, columns])
    return this.add('Gemm8', [x, weights, ...this.vectors(columns, inner)], { ...this.bounds(), transB })
  }

  /** The program whose outputs are the case's bytes, as floats. */
  programOf(item: ByteCase): Program {
    const outputs = [item.make(this, this.random)].flat()
    const [one, zero] = [this.numbers([1], []), this.numbers([0], [], 'uint8')]
    this.graph.outputs = outputs.map(output =>
      output.narrow ? this.add('DequantizeLinear', [output, one, zero]) : output
    )
    this.graph.outputNames = outputs.map((_, i) => `y${i}`)
    this.graph.outputTypes = outputs.map(() => 'float32')
    return lower(this.graph)
  }
}

/** Bytes as floats for every input of a program; 0 and 255 are many. */
export function bytesFor({ inputs }: Program, random: Random, bindings: Bindings = {}): Float32Array[] {
  return inputs.map(({ shape }) => {
    const count = shape.reduce<number>((size, dim) => size * evaluate(dim, bindings), 1)
    return Float32Array.from(random.ints(count, [0, 255]), each => (random.chance(0.2) ? random.pick([0, 255]) : each))
  })
}

export interface ByteCase {
  readonly name: string
  readonly bindings?: readonly Bindings[]
  /** The inputs where they are not any bytes. */
  readonly feeds?: (random: Random) => number[][]
  make(m: ByteLayers, random: Random): Value | Value[]
}
