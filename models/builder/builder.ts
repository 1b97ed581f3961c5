// Builds ONNX models: collects nodes and initializers, and encodes them as one ModelProto. The layers are methods of
// Tensor, so that an architecture reads from its input to its output like the table of its paper.
import onnxProto from '../../schema/onnx.js'
import { constant } from './moments.js'
import { Random } from './random.js'
import { type Attribute, type Sink, Tensor } from './tensor.js'

const { AttributeProto, ModelProto, TensorProto } = onnxProto.onnx
const Kind = AttributeProto.AttributeType

/** A size, or the name of one that is free. */
export type Dim = number | string

export interface BuildOptions {
  /** Seed of the weights. */
  seed?: number
  /** Size of the batch; by default free, under the name `N`. */
  batch?: number | 'N'
  /** Number of classes. */
  classes?: number
}

export class GraphBuilder implements Sink {
  readonly random: Random
  private readonly batch: Dim
  private readonly nodes: onnxProto.onnx.INodeProto[] = []
  private readonly initializers: onnxProto.onnx.ITensorProto[] = []
  private readonly inputs: onnxProto.onnx.IValueInfoProto[] = []
  private readonly names = new Set(['output'])
  private readonly shared = new Map<string, string>()

  constructor(
    private readonly title: string,
    options: BuildOptions,
    private readonly opset = 17
  ) {
    this.random = new Random(options.seed ?? 1)
    this.batch = options.batch ?? 'N'
  }

  /** Adds a float input of `shape`, the batch dimension aside. */
  input(shape: Dim[], name = 'input'): Tensor {
    this.inputs.push(valueInfo(name, [this.batch, ...shape]))
    this.names.add(name)
    const sizes = shape.map(dim => (typeof dim === 'number' ? dim : Number.NaN))
    return new Tensor(this, name, sizes, constant(sizes[0], 0, 1), name)
  }

  /** `name`, numbered if it is already taken. */
  unique(name: string): string {
    let result = name
    for (let i = 2; this.names.has(result); i++) result = `${name}_${i}`
    this.names.add(result)
    return result
  }

  node(opType: string, outputs: string[], inputs: string[], attributes: Record<string, Attribute> = {}): void {
    this.nodes.push({
      name: outputs[0],
      opType,
      input: inputs,
      output: outputs,
      attribute: Object.entries(attributes).map(([name, value]) => attributeProto(name, value))
    })
  }

  floats(name: string, dims: number[], values: Float32Array<ArrayBuffer>): string {
    this.initializers.push({ name, dims, dataType: TensorProto.DataType.FLOAT, rawData: new Uint8Array(values.buffer) })
    return name
  }

  /** A float operand that is no parameter, such as a clipping bound; equal ones are shared. */
  constant(values: number[], dims: number[]): string {
    return this.share('const', [dims.length, ...values], name => this.floats(name, dims, Float32Array.from(values)))
  }

  /** An int64 operand, such as a shape; equal ones are shared. */
  ints(values: number[]): string {
    return this.share('ints', values, name => {
      const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer)
      this.initializers.push({ name, dims: [values.length], dataType: TensorProto.DataType.INT64, rawData })
    })
  }

  private share(prefix: string, values: number[], add: (name: string) => void): string {
    const key = `${prefix}:${values.join()}`
    let name = this.shared.get(key)
    if (name === undefined) {
      name = `${prefix}.${this.shared.size}`
      this.shared.set(key, name)
      add(name)
    }
    return name
  }

  /** The model whose outputs are `result`, as `output`, then `others`, by name. `rows` says how many each has. */
  finish(result: Tensor, others: Record<string, Tensor> = {}, rows: Dim = this.batch): Uint8Array {
    const outputs = Object.entries({ output: result, ...others })
    const names = new Map(outputs.map(([name, tensor]) => [tensor.name, name]))
    const named = (name: string) => names.get(name) ?? name
    for (const node of this.nodes) {
      node.input = node.input?.map(named)
      node.output = node.output?.map(named)
    }
    const dimsOf = ({ shape }: Tensor) => shape.map(size => (Number.isNaN(size) ? '' : size))
    return ModelProto.encode({
      irVersion: this.opset > 20 ? 10 : 8,
      producerName: 'cairn-models',
      opsetImport: [{ domain: '', version: this.opset }],
      graph: {
        name: this.title,
        node: this.nodes,
        initializer: this.initializers,
        input: this.inputs,
        output: outputs.map(([name, tensor]) => valueInfo(name, [rows, ...dimsOf(tensor)]))
      }
    }).finish()
  }
}

function valueInfo(name: string, dims: Dim[]): onnxProto.onnx.IValueInfoProto {
  const dim = dims.map(value =>
    typeof value === 'number' ? { dimValue: value } : value === '' ? {} : { dimParam: value }
  )
  return { name, type: { tensorType: { elemType: TensorProto.DataType.FLOAT, shape: { dim } } } }
}

function attributeProto(name: string, value: Attribute): onnxProto.onnx.IAttributeProto {
  if (typeof value === 'number') return { name, type: Kind.INT, i: value }
  if (typeof value === 'string') return { name, type: Kind.STRING, s: new TextEncoder().encode(value) }
  if (Array.isArray(value)) return { name, type: Kind.INTS, ints: value }
  return { name, type: Kind.FLOAT, f: value.float }
}
