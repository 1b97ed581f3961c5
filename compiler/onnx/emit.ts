import onnxProto from '../../schema/onnx.js'
import { type Dim, freeNamesOf, show } from '../algebra/index.js'
import { refuse } from '../errors.js'
import {
  type Attribute,
  type DType,
  type Graph,
  isConstant,
  type Node,
  type Tensor,
  type Value
} from '../graph/index.js'
import { counting } from '../ops/index.js'
import { decodeModel } from './read.js'
import { floatAttributes, spelled } from './spell.js'
import { dtypeNames } from './tensor-proto.js'

const { onnx } = onnxProto

type NodeProto = onnxProto.onnx.INodeProto
type AttributeProto = onnxProto.onnx.IAttributeProto
type TensorProto = onnxProto.onnx.ITensorProto

/** The oldest operator set that is written: in it scales may be one a channel. */
const oldestWritten = 13

const typeNumbers = new Map(Object.entries(dtypeNames).map(([number, name]) => [name, Number(number)]))

/**
 * A graph of ONNX's operators, shapes inferred, as a model. `like` is the model that it was read from, whose opset it keeps, from 13
 * on, and whose metadata. Every float is single precision inside; inputs and outputs keep their types. Throws CompileError for
 * what ONNX has no operator for.
 */
export function emitOnnx(graph: Graph, like: Uint8Array): Uint8Array {
  const source = decodeModel(like)
  const standard = source.opsetImport.find(({ domain }) => !domain || domain === 'ai.onnx')
  const opset = Math.max(oldestWritten, Number(standard?.version ?? 0))
  const writer = new GraphWriter(graph, opset)
  const others = source.opsetImport.filter(entry => entry !== standard)
  return onnx.ModelProto.encode({
    irVersion: Math.max(opset > 18 ? 9 : 8, Math.min(Number(source.irVersion), 10)),
    producerName: 'cairn',
    opsetImport: [{ domain: '', version: opset }, ...others],
    metadataProps: source.metadataProps,
    graph: writer.write()
  }).finish()
}

class GraphWriter {
  private readonly nodes: NodeProto[] = []
  private readonly initializers = new Map<Value, TensorProto>()
  /** What values are called that cannot keep their name. */
  private readonly names = new Map<Value, string>()

  constructor(
    private readonly graph: Graph,
    private readonly opset: number
  ) {}

  write(): onnxProto.onnx.IGraphProto {
    const { graph } = this
    const given = graph.inputs.map(input => this.input(input))
    const results = graph.outputs.map((output, i) => this.claim(output, i))
    this.rename()
    for (const node of graph.nodes) this.node(node)
    const output = graph.outputs.map((value, i) => this.output(value, i, results[i]))
    return { name: graph.name, input: given, output, node: this.nodes, initializer: [...this.initializers.values()] }
  }

  /** Floats of other precision are brought to single. */
  private input(input: Value): onnxProto.onnx.IValueInfoProto {
    if (isOtherFloat(input.dtype)) {
      const single = this.graph.unique(input.name)
      this.names.set(input, single)
      this.add('Cast', [input.name], [single], [{ name: 'to', type: 2, i: 1 }])
    }
    return info(input.name, input.dtype, input.shape)
  }

  /** Gives a value that some node makes the name of the output that it is; false where it has another. */
  private claim(value: Value, index: number): boolean {
    const isFloat = isOtherFloat(this.graph.outputTypes[index])
    if (isFloat || !value.producer || this.names.has(value)) return false
    this.names.set(value, this.graph.outputNames[index])
    return true
  }

  /** Values make room for outputs that have their names: what was an output itself may be quantised on its way there. */
  private rename(): void {
    const taken = new Set(this.graph.outputNames)
    for (const { outputs } of this.graph.nodes)
      for (const value of outputs)
        if (!this.names.has(value) && taken.has(value.name)) this.names.set(value, this.graph.unique(value.name))
  }

  private output(value: Value, index: number, isClaimed: boolean): onnxProto.onnx.IValueInfoProto {
    const name = this.graph.outputNames[index]
    const dtype = this.graph.outputTypes[index]
    if (!isClaimed) {
      const from = this.nameOf(value)
      if (isOtherFloat(dtype)) this.add('Cast', [from], [name], [{ name: 'to', type: 2, i: typeNumbers.get(dtype)! }])
      else this.add('Identity', [from], [name], [])
    }
    return info(name, dtype, value.shape)
  }

  private nameOf(value: Value | undefined): string {
    if (!value) return ''
    if (isConstant(value) && !this.initializers.has(value)) {
      const tensor = { shape: value.shape as number[], dtype: value.dtype, data: value.data }
      this.initializers.set(value, tensorProto(tensor, value.name))
    }
    // An output may be another value than the one that had its name.
    if (!this.names.has(value) && this.graph.outputNames.includes(value.name) && !this.graph.inputs.includes(value))
      this.names.set(value, this.graph.unique(value.name))
    return this.names.get(value) ?? value.name
  }

  private node(node: Node): void {
    const spelling = spelled(this.graph, node, this.opset)
    // How much is found is an output that ONNX does not have.
    const outputs = counting.has(node.op) ? node.outputs.slice(0, -1) : node.outputs
    if (!spelling) this.plain(node.op, node, node.inputs, outputs, node.attributes)
    for (const { op, inputs, output, attributes = {} } of spelling ?? [])
      this.plain(
        op,
        node,
        inputs,
        output === node.output ? node.outputs : [output],
        new Map(Object.entries(attributes))
      )
  }

  private plain(
    op: string,
    node: Node,
    inputs: readonly (Value | undefined)[],
    outputs: readonly Value[],
    attributes: ReadonlyMap<string, Attribute>
  ): void {
    const list = [...attributes].map(([name, value]) => attributeProto(node, name, value))
    const given = inputs.map(input => this.nameOf(input))
    while (given.at(-1) === '') given.pop()
    const name = outputs[0] === node.output ? node.name : `${node.name} ${outputs[0].name}`
    this.add(
      op,
      given,
      outputs.map(value => this.nameOf(value)),
      list,
      name
    )
  }

  private add(op: string, input: string[], output: string[], attribute: AttributeProto[], name = output[0]): void {
    const at = op.lastIndexOf(':')
    this.nodes.push({ opType: op.slice(at + 1), domain: op.slice(0, Math.max(at, 0)), name, input, output, attribute })
  }
}

const isOtherFloat = (dtype: DType | undefined): dtype is 'float16' | 'float64' =>
  dtype === 'float16' || dtype === 'float64'

function info(name: string, dtype: DType, shape: readonly Dim[]): onnxProto.onnx.IValueInfoProto {
  const dim = shape.map(size => {
    if (typeof size === 'number') return { dimValue: size }
    const text = show(size)
    return freeNamesOf(size).has(text) ? { dimParam: text } : {}
  })
  return { name, type: { tensorType: { elemType: typeNumbers.get(dtype), shape: { dim } } } }
}

function attributeProto(node: Node, name: string, value: Attribute): AttributeProto {
  const { AttributeType } = onnx.AttributeProto
  const isFloat = floatAttributes.has(name)
  if (typeof value === 'number')
    return isFloat ? { name, type: AttributeType.FLOAT, f: value } : { name, type: AttributeType.INT, i: value }
  if (typeof value === 'string') {
    const type = typeNumbers.get(value as DType)
    if (type && (name === 'to' || name === 'dtype' || name === 'output_dtype'))
      return { name, type: AttributeType.INT, i: isOtherFloat(value as DType) ? 1 : type }
    return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) }
  }
  if (Array.isArray(value)) {
    if (typeof value[0] === 'string')
      return { name, type: AttributeType.STRINGS, strings: value.map(text => new TextEncoder().encode(text)) }
    return isFloat
      ? { name, type: AttributeType.FLOATS, floats: [...value] }
      : { name, type: AttributeType.INTS, ints: [...value] }
  }
  if ('data' in value) return { name, type: AttributeType.TENSOR, t: tensorProto(value as Tensor, name) }
  throw refuse(node, 'holds a graph of its own, which is not written')
}

const arrays = {
  float32: Float32Array,
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  bool: Uint8Array
} as const

const most = 2n ** 63n - 1n

/** The largest of 64 bits, which slices end at, is no double: the next is one more. */
function wide(value: number): bigint {
  const whole = BigInt(value)
  return whole > most ? most : whole
}

/** The elements in their own type; halves and doubles in single precision. */
function tensorProto({ dtype, shape, data }: Tensor, name: string): TensorProto {
  const own = isOtherFloat(dtype) ? 'float32' : dtype
  const dataType = typeNumbers.get(own)
  const elements =
    own === 'int64' || own === 'uint64'
      ? BigInt64Array.from(data, wide)
      : arrays[own as keyof typeof arrays].from(data as ArrayLike<number>)
  return { name, dims: [...shape], dataType, rawData: new Uint8Array(elements.buffer, 0, elements.byteLength) }
}
