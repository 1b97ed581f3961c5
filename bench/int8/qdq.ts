// Quantised models as onnxruntime's quantize_static writes them, in its QDQ format: BatchNorms folded, every tensor that a layer
// reads or writes between QuantizeLinear and DequantizeLinear, weights of int8 for each filter or for all, biases of int32, and
// activations that a range says go.
import ort from 'onnxruntime-node'
import { halvesAsBits } from '../../cli/model/index.js'
import onnxProto from '../../schema/onnx.js'

halvesAsBits(ort)

const { ModelProto, TensorProto } = onnxProto.onnx
type INode = onnxProto.onnx.INodeProto
type ITensor = onnxProto.onnx.ITensorProto

export interface QdqOptions {
  readonly activations: 'uint8' | 'int8'
  /** A scale for each filter. */
  readonly perChannel: boolean
}

/** Layers whose inputs and outputs onnxruntime quantises. */
const quantisedOps = new Set([
  ...['Conv', 'Gemm', 'MatMul', 'Add', 'Mul', 'Relu', 'Clip', 'Sigmoid', 'LeakyRelu', 'MaxPool', 'AveragePool'],
  ...['GlobalAveragePool', 'Concat', 'Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'Flatten', 'Resize', 'Softmax']
])
const weighted = new Set(['Conv', 'Gemm', 'MatMul'])
/** Their outputs have the range of their inputs. */
const moving = new Set(['MaxPool', 'Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'Flatten', 'Resize'])

interface Range {
  readonly scale: number
  readonly zero: number
}

/** The model quantised by the ranges that `feeds` give; every input is one tensor of floats. */
export async function quantizedModel(
  model: Uint8Array,
  feeds: readonly Record<string, ort.Tensor>[],
  { activations, perChannel }: QdqOptions
): Promise<Uint8Array> {
  const proto = ModelProto.decode(model)
  const graph = proto.graph!
  foldBatchNorms(graph)
  const ranges = await rangesOf(ModelProto.encode(proto).finish(), feeds, activations)
  const initializers = new Map(graph.initializer!.map(tensor => [tensor.name!, tensor]))
  const nodes: INode[] = []
  const added: ITensor[] = []
  const quantised = new Map<string, string>()
  const outputs = new Set(graph.output!.map(({ name }) => name!))
  const removed = removedActivations(graph.node!, ranges, activations, outputs)
  const named = (name: string) => removed.get(name) ?? name

  /** What quantised layers give. */
  const given = new Set(
    graph
      .node!.filter(({ opType }) => quantisedOps.has(opType!))
      .flatMap(({ output }) => output!.map(name => removed.get(name) ?? name))
  )
  const scalars = (
    name: string,
    scale: readonly number[],
    zero: readonly number[],
    dtype: 'uint8' | 'int8' | 'int32'
  ) => {
    const dims = scale.length > 1 ? [scale.length] : []
    added.push(floats(`${name}_scale`, dims, Float32Array.from(scale)), integers(`${name}_zero`, dims, zero, dtype))
    return [`${name}_scale`, `${name}_zero`]
  }
  /** Between a QuantizeLinear and a DequantizeLinear. */
  const through = (name: string): string => {
    const known = quantised.get(name)
    if (known) return known
    const { scale, zero } = ranges.get(name)!
    const parameters = scalars(name, [scale], [zero], activations)
    nodes.push(node('QuantizeLinear', [name, ...parameters], `${name}_q`))
    nodes.push(node('DequantizeLinear', [`${name}_q`, ...parameters], `${name}_dq`))
    quantised.set(name, `${name}_dq`)
    return `${name}_dq`
  }
  const weights = (name: string, axis: number): { name: string; scale: readonly number[] } => {
    const tensor = initializers.get(name)!
    const data = floatsOf(tensor)
    const dims = tensor.dims!.map(Number)
    const inner = dims.slice(axis + 1).reduce((a, b) => a * b, 1)
    const count = perChannel ? dims[axis] : 1
    const channel = (i: number) => (perChannel ? Math.floor(i / inner) % count : 0)
    const largest = new Float64Array(count)
    data.forEach((value, i) => (largest[channel(i)] = Math.max(largest[channel(i)], Math.abs(value))))
    const scale = Array.from(largest, most => Math.fround((most || 1) / 127))
    if (!quantised.has(name)) {
      const whole = Array.from(data, (value, i) => Math.round(value / scale[channel(i)]))
      added.push(integers(`${name}_q`, dims, whole, 'int8'))
      const parameters = scalars(
        name,
        scale,
        scale.map(() => 0),
        'int8'
      )
      nodes.push(node('DequantizeLinear', [`${name}_q`, ...parameters], `${name}_dq`, perChannel ? axis : undefined))
      quantised.set(name, `${name}_dq`)
    }
    return { name: `${name}_dq`, scale }
  }

  for (const each of graph.node!) {
    const [result] = each.output!
    if (removed.has(each.input![0]) && removed.get(each.input![0]) === result) continue
    const inputs = each.input!.map(named)
    if (!quantisedOps.has(each.opType!) || (weighted.has(each.opType!) && !initializers.has(inputs[1]))) {
      nodes.push({ ...each, input: inputs.map(name => (given.has(name) ? through(name) : name)) })
      continue
    }
    const made = inputs.map((name, i) => {
      if (!name) return name
      if (initializers.has(name)) {
        if (weighted.has(each.opType!) && i === 1) {
          const transB = each.attribute?.some(({ name, i }) => name === 'transB' && Number(i))
          return weights(name, each.opType === 'Conv' || transB ? 0 : 1).name
        }
        return name
      }
      return ranges.has(name) ? through(name) : name
    })
    if (weighted.has(each.opType!) && inputs[2]) {
      const bias = inputs[2]
      const transB = each.attribute?.some(({ name, i }) => name === 'transB' && Number(i))
      const { scale } = weights(inputs[1], each.opType === 'Conv' || transB ? 0 : 1)
      const own = scale.map(s => Math.fround(s * ranges.get(inputs[0])!.scale))
      const data = floatsOf(initializers.get(bias)!)
      const whole = Array.from(data, (value, i) => Math.round(value / own[own.length > 1 ? i : 0]))
      const key = `${result}_bias`
      added.push(integers(`${key}_q`, [data.length], whole, 'int32'))
      const parameters = scalars(
        key,
        own,
        own.map(() => 0),
        'int32'
      )
      nodes.push(node('DequantizeLinear', [`${key}_q`, ...parameters], `${key}_dq`, own.length > 1 ? 0 : undefined))
      made[2] = `${key}_dq`
    }
    const output = named(result)
    const own = outputs.has(output) ? `${output}_float` : output
    nodes.push({ ...each, input: made, output: [own] })
    if (moving.has(each.opType!) && ranges.has(inputs[0])) ranges.set(output, ranges.get(inputs[0])!)
    if (outputs.has(output)) {
      const { scale, zero } = ranges.get(output)!
      const parameters = scalars(output, [scale], [zero], activations)
      nodes.push(node('QuantizeLinear', [own, ...parameters], `${output}_q`))
      nodes.push(node('DequantizeLinear', [`${output}_q`, ...parameters], output))
    }
  }
  graph.node = nodes
  graph.initializer = [...graph.initializer!, ...added]
  const read = new Set(nodes.flatMap(({ input }) => input!))
  graph.initializer = graph.initializer.filter(({ name }) => read.has(name!))
  return ModelProto.encode(proto).finish()
}

function node(opType: string, input: string[], output: string, axis?: number): INode {
  const Kind = onnxProto.onnx.AttributeProto.AttributeType
  return {
    opType,
    name: `${opType} ${output}`,
    input,
    output: [output],
    attribute: axis === undefined ? [] : [{ name: 'axis', type: Kind.INT, i: axis }]
  }
}

function floats(name: string, dims: number[], data: Float32Array): ITensor {
  return { name, dims, dataType: TensorProto.DataType.FLOAT, rawData: new Uint8Array(data.buffer as ArrayBuffer) }
}

function integers(name: string, dims: number[], data: readonly number[], dtype: 'uint8' | 'int8' | 'int32'): ITensor {
  const kind = { uint8: Uint8Array, int8: Int8Array, int32: Int32Array }[dtype]
  const dataType = TensorProto.DataType[dtype.toUpperCase() as 'UINT8']
  return { name, dims, dataType, rawData: new Uint8Array(kind.from(data).buffer as ArrayBuffer) }
}

function floatsOf({ rawData, floatData }: ITensor): Float32Array {
  if (!rawData?.length) return Float32Array.from(floatData ?? [])
  return new Float32Array(Uint8Array.from(rawData).buffer)
}

/** Activations whose bounds the range of their output has anyway, by their input: onnxruntime takes them out. */
function removedActivations(
  nodes: readonly INode[],
  ranges: ReadonlyMap<string, Range>,
  activations: 'uint8' | 'int8',
  outputs: ReadonlySet<string>
): Map<string, string> {
  const removed = new Map<string, string>()
  const lowest = activations === 'uint8' ? 0 : -128
  for (const { opType, input, output } of nodes) {
    if (opType !== 'Relu' && opType !== 'Clip') continue
    const producer = nodes.find(each => each.output!.includes(input![0]))
    const users = nodes.filter(each => each.input!.includes(input![0]))
    if (!producer || !quantisedOps.has(producer.opType!) || users.length > 1 || outputs.has(input![0])) continue
    if (ranges.get(output![0])?.zero === lowest) removed.set(input![0], output![0])
  }
  return removed
}

async function rangesOf(
  model: Uint8Array,
  feeds: readonly Record<string, ort.Tensor>[],
  activations: 'uint8' | 'int8'
): Promise<Map<string, Range>> {
  const proto = ModelProto.decode(model)
  const graph = proto.graph!
  const known = new Set(graph.output!.map(({ name }) => name))
  for (const { output } of graph.node!)
    for (const name of output!) if (name && !known.has(name)) graph.output!.push({ name })
  const session = await ort.InferenceSession.create(ModelProto.encode(proto).finish(), {
    graphOptimizationLevel: 'disabled'
  })
  const limits = new Map<string, [number, number]>()
  const widen = (name: string, tensor: ort.Tensor) => {
    if (tensor.type !== 'float32') return
    let [low, high] = limits.get(name) ?? [0, 0]
    for (const value of tensor.data as Float32Array) {
      low = Math.min(low, value)
      high = Math.max(high, value)
    }
    limits.set(name, [low, high])
  }
  for (const feed of feeds) {
    for (const [name, tensor] of Object.entries(feed)) widen(name, tensor)
    for (const [name, tensor] of Object.entries(await session.run(feed))) widen(name, tensor)
  }
  await session.release()
  return new Map(
    [...limits].map(([name, [low, high]]) => {
      const scale = Math.fround((high - low || 1) / 255)
      const start = activations === 'uint8' ? 0 : -128
      return [name, { scale, zero: Math.round(start - low / scale) }]
    })
  )
}

/** Into the convolution before it, if nobody else reads what that gives. */
function foldBatchNorms(graph: onnxProto.onnx.IGraphProto): void {
  const tensors = new Map(graph.initializer!.map(tensor => [tensor.name!, tensor]))
  const kept: INode[] = []
  for (const each of graph.node!) {
    const conv = kept.find(({ output }) => output!.includes(each.input![0]))
    const users = graph.node!.filter(({ input }) => input!.includes(each.input![0]))
    if (each.opType !== 'BatchNormalization' || conv?.opType !== 'Conv' || users.length > 1) {
      kept.push(each)
      continue
    }
    const [scale, shift, mean, variance] = each.input!.slice(1).map(name => floatsOf(tensors.get(name)!))
    const epsilon = each.attribute?.find(({ name }) => name === 'epsilon')?.f ?? 1e-5
    const factor = scale.map((s, i) => s / Math.sqrt(variance[i] + epsilon))
    const weights = tensors.get(conv.input![1])!
    const data = floatsOf(weights)
    const inner = data.length / factor.length
    const bias = conv.input![2] ? floatsOf(tensors.get(conv.input![2])!) : new Float32Array(factor.length)
    const name = `${conv.name}_folded`
    tensors.set(
      `${name}_w`,
      floats(
        `${name}_w`,
        weights.dims!.map(Number),
        data.map((w, i) => w * factor[Math.floor(i / inner)])
      )
    )
    tensors.set(
      `${name}_b`,
      floats(
        `${name}_b`,
        [factor.length],
        bias.map((b, i) => (b - mean[i]) * factor[i] + shift[i])
      )
    )
    conv.input = [conv.input![0], `${name}_w`, `${name}_b`]
    conv.output = each.output
  }
  graph.node = kept
  const read = new Set(kept.flatMap(({ input }) => input!))
  graph.initializer = [...tensors.values()].filter(({ name }) => read.has(name!))
}
