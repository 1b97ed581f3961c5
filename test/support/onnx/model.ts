// Builds small ONNX models for tests: any operator, attribute, element type and encoding of initializers.
import onnxProto, { type onnx } from 'onnx-proto'
import type { DType } from '../../../compiler/graph/graph.js'
import { floatToHalf } from '../../../runtime/base/half.js'
import { Random } from '../random.js'

const { AttributeProto, ModelProto } = onnxProto.onnx
const Kind = AttributeProto.AttributeType

export type Dim = number | string
export type { DType }
export type Range = readonly [number, number]

/** Elements of one tensor; `encoding` says where TensorProto holds them. */
export interface Contents {
  readonly dtype: DType
  readonly dims: readonly number[]
  readonly data: ArrayLike<number>
  readonly encoding?: 'raw' | 'typed'
}

/** Plain numbers are INT, lists INTS, text STRING; what is floating says so. */
export type Attribute =
  | { readonly strings: readonly string[] }
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly tensor: Contents }
  | { readonly graph: onnx.IGraphProto }

export type Attributes = Readonly<Record<string, Attribute>>

export interface Input {
  readonly name: string
  readonly dtype: DType
  readonly dims: readonly Dim[]
  readonly range: Range
}

export const elementTypes: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13
}

export const float = (value: number) => ({ float: value })
export const sizeOf = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1)

export class ModelBuilder {
  readonly inputs: Input[] = []
  readonly outputs: string[] = []
  readonly nodes: onnx.INodeProto[] = []
  readonly initializers: onnx.ITensorProto[] = []
  private count = 0

  constructor(
    readonly random = new Random(),
    readonly opset = 17,
    private readonly prefix = ''
  ) {}

  input(dims: readonly Dim[], dtype: DType = 'float32', range: Range = [-2, 2], name = this.fresh('x')): string {
    this.inputs.push({ name, dtype, dims, range })
    return name
  }

  constant(contents: Contents, name = this.fresh('c')): string {
    this.initializers.push(tensorProto(name, contents))
    return name
  }

  /** A float constant of random values. */
  weights(dims: readonly number[], range: Range = [-1, 1]): string {
    return this.constant({ dtype: 'float32', dims, data: this.random.values(sizeOf(dims), range) })
  }

  ints(values: readonly number[]): string {
    return this.constant({ dtype: 'int64', dims: [values.length], data: values })
  }

  scalar(value: number): string {
    return this.constant({ dtype: 'float32', dims: [], data: [value] })
  }

  add(op: string, inputs: readonly (string | undefined)[], attributes: Attributes = {}): string {
    return this.addMany(op, inputs, 1, attributes)[0]
  }

  addMany(op: string, inputs: readonly (string | undefined)[], outputs: number, attributes: Attributes = {}): string[] {
    const name = this.fresh(op.toLowerCase())
    const output = outputs === 1 ? [name] : Array.from({ length: outputs }, (_, i) => `${name}_${i}`)
    const attribute = Object.entries(attributes).map(([key, value]) => attributeProto(key, value))
    const [domain, opType] = op.includes(':') ? op.split(':') : ['', op]
    this.nodes.push({ name, opType, domain, input: inputs.map(input => input ?? ''), output, attribute })
    return output
  }

  /** The graph of a branch, which may read what is outside; the names in it are those of every branch. */
  branch(make: (inner: ModelBuilder) => string | readonly string[]): Attribute {
    const inner = new ModelBuilder(this.random, this.opset, `${this.prefix}inner `)
    const outputs = [make(inner)].flat()
    const { nodes: node, initializers: initializer } = inner
    return { graph: { name: 'branch', node, initializer, output: outputs.map(name => ({ name })) } }
  }

  /** The body of a Loop or Scan, of inputs of these element types; without `dims` of any shape. */
  body(
    inputs: readonly { readonly dtype: DType; readonly dims?: readonly Dim[] }[],
    make: (inner: ModelBuilder, ...names: string[]) => readonly string[]
  ): Attribute {
    const inner = new ModelBuilder(this.random, this.opset, `${this.prefix}inner `)
    const input = inputs.map(({ dtype, dims }) => {
      const name = inner.fresh('in')
      return dims ? valueInfo(name, dtype, dims) : { name, type: { tensorType: { elemType: elementTypes[dtype] } } }
    })
    const outputs = make(inner, ...input.map(({ name }) => name!))
    const { nodes: node, initializers: initializer } = inner
    return { graph: { name: 'body', node, initializer, input, output: outputs.map(name => ({ name })) } }
  }

  output(...names: string[]): this {
    this.outputs.push(...names)
    return this
  }

  proto(): onnx.IModelProto {
    const domains = new Set(this.nodes.map(node => node.domain ?? ''))
    return {
      irVersion: this.opset > 20 ? 10 : 8,
      opsetImport: ['', ...[...domains].filter(Boolean)].map(domain => ({ domain, version: domain ? 1 : this.opset })),
      graph: {
        name: 'test',
        node: this.nodes,
        initializer: this.initializers,
        input: this.inputs.map(({ name, dtype, dims }) => valueInfo(name, dtype, dims)),
        output: this.outputs.map(name => ({ name }))
      }
    }
  }

  encode(): Uint8Array {
    return encodeModel(this.proto())
  }

  private fresh(stem: string): string {
    return `${this.prefix}${stem.split(':').pop()}_${this.count++}`
  }
}

export function encodeModel(model: onnx.IModelProto): Uint8Array {
  return ModelProto.encode(model).finish()
}

export function decodeModel(bytes: Uint8Array): onnx.IModelProto {
  return ModelProto.decode(bytes)
}

/** The model with another shape of its first input. */
export function resized(bytes: Uint8Array, dims: readonly Dim[]): Uint8Array {
  const model = decodeModel(bytes)
  const [input] = model.graph!.input!
  model.graph!.input = [valueInfo(input.name!, 'float32', dims)]
  return encodeModel(model)
}

export function valueInfo(name: string, dtype: DType, dims: readonly Dim[]): onnx.IValueInfoProto {
  const dim = dims.map(size => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }))
  return { name, type: { tensorType: { elemType: elementTypes[dtype], shape: { dim } } } }
}

export function tensorProto(name: string, { dtype, dims, data, encoding = 'raw' }: Contents): onnx.ITensorProto {
  const head = { name, dims: [...dims], dataType: elementTypes[dtype] }
  return encoding === 'raw' ? { ...head, rawData: rawBytes(dtype, data) } : { ...head, ...typedField(dtype, data) }
}

export function rawBytes(dtype: DType, data: ArrayLike<number>): Uint8Array {
  const array = typedArray(dtype, data)
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

/** The elements as onnxruntime's and Cairn's tensors hold them. */
export function typedArray(dtype: DType, data: ArrayLike<number>) {
  switch (dtype) {
    case 'float32':
      return Float32Array.from(data)
    case 'float16':
      return Uint16Array.from(data, floatToHalf)
    case 'float64':
      return Float64Array.from(data)
    case 'int64':
      return BigInt64Array.from(Array.from(data), BigInt)
    case 'int32':
      return Int32Array.from(data)
    case 'uint64':
      return BigUint64Array.from(Array.from(data), BigInt)
    case 'uint32':
      return Uint32Array.from(data)
    case 'int16':
      return Int16Array.from(data)
    case 'uint16':
      return Uint16Array.from(data)
    case 'int8':
      return Int8Array.from(data)
    default:
      return Uint8Array.from(data)
  }
}

function typedField(dtype: DType, data: ArrayLike<number>): onnx.ITensorProto {
  const values = Array.from(data)
  if (dtype === 'float32') return { floatData: values }
  if (dtype === 'float64') return { doubleData: values }
  if (dtype === 'int64') return { int64Data: values }
  if (dtype === 'uint64' || dtype === 'uint32') return { uint64Data: values }
  return { int32Data: dtype === 'float16' ? values.map(floatToHalf) : values }
}

export function attributeProto(name: string, value: Attribute): onnx.IAttributeProto {
  if (typeof value === 'number') return { name, type: Kind.INT, i: value }
  if (typeof value === 'string') return { name, type: Kind.STRING, s: new TextEncoder().encode(value) }
  if ('float' in value) return { name, type: Kind.FLOAT, f: value.float }
  if ('floats' in value) return { name, type: Kind.FLOATS, floats: [...value.floats] }
  if ('strings' in value)
    return { name, type: Kind.STRINGS, strings: value.strings.map(text => new TextEncoder().encode(text)) }
  if ('graph' in value) return { name, type: Kind.GRAPH, g: value.graph }
  if ('tensor' in value) return { name, type: Kind.TENSOR, t: tensorProto('', value.tensor) }
  return { name, type: Kind.INTS, ints: [...value] }
}
