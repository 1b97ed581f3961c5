import onnxProto from 'onnx-proto'
import { CompileError } from './errors.js'

const { onnx } = onnxProto

export interface FloatTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** A new head for an ONNX model: the layers behind `features`, and the tensors that training has changed. */
export interface NewHead {
  readonly features: string
  /** Axes behind the batch and the channels, over which features are averaged. */
  readonly spatial: number
  readonly weight: string
  readonly bias: string
  /** Names of the classes, kept in the model's metadata as `classes`, one a line. */
  readonly classes: readonly string[]
  readonly tensors: readonly FloatTensor[]
  /** Contents of external data files, which are taken in. */
  readonly externalData?: (location: string) => Uint8Array
}

/** Names of the new outputs. */
export const logitsOutput = 'logits'
export const probabilitiesOutput = 'probabilities'

/**
 * ONNX bytes with the new head: what led to the old outputs alone is gone, changed tensors are stored anew. Outputs are
 * `probabilities` and `logits`, [N, classes].
 */
export function writeHead(bytes: Uint8Array, head: NewHead): Uint8Array {
  const model = onnx.ModelProto.decode(bytes)
  const graph = model.graph!
  const changed = new Map(head.tensors.map(tensor => [tensor.name, tensor]))
  const needed = ancestors(graph.node!, head.features, changed)
  const prefix = freshPrefix(graph)
  const pooled = head.spatial
    ? [{ opType: 'GlobalAveragePool', input: [head.features], output: [`${prefix}pooled`] }]
    : []
  const nodes = [
    ...pooled,
    { opType: 'Flatten', input: [pooled[0]?.output[0] ?? head.features], output: [`${prefix}flat`] },
    {
      opType: 'Gemm',
      input: [`${prefix}flat`, prefix + head.weight, prefix + head.bias],
      output: [logitsOutput],
      attribute: [{ name: 'transB', type: onnx.AttributeProto.AttributeType.INT, i: 1 }]
    },
    {
      opType: 'Softmax',
      input: [logitsOutput],
      output: [probabilitiesOutput],
      attribute: [{ name: 'axis', type: onnx.AttributeProto.AttributeType.INT, i: 1 }]
    }
  ].map((node, i) => onnx.NodeProto.create({ ...node, name: `${prefix}${node.opType.toLowerCase()}_${i}` }))
  const kept = graph.node!.filter(node => node.output!.some(output => needed.has(output)))
  for (const node of kept)
    if (node.output!.some(output => output === logitsOutput || output === probabilitiesOutput))
      throw new CompileError(`a value of the model is named "${logitsOutput}" or "${probabilitiesOutput}" already`)
  graph.node = [...kept, ...nodes]
  const read = new Set(graph.node.flatMap(node => node.input!))
  graph.initializer = [
    ...graph
      .initializer!.filter(({ name }) => read.has(name!) && !changed.has(name!))
      .map(tensor => inlined(tensor, head)),
    ...head.tensors.map(tensor => {
      const own = tensor.name === head.weight || tensor.name === head.bias
      return floatTensor(own ? prefix + tensor.name : tensor.name, tensor)
    })
  ]
  graph.input = graph.input!.filter(({ name }) => read.has(name!) && !changed.has(name!))
  const output = (name: string) => ({
    name,
    type: { tensorType: { elemType: 1, shape: { dim: [{ dimParam: 'N' }, { dimValue: head.classes.length }] } } }
  })
  graph.output = [output(probabilitiesOutput), output(logitsOutput)].map(info => onnx.ValueInfoProto.create(info))
  graph.valueInfo = []
  model.metadataProps = [
    ...(model.metadataProps ?? []).filter(({ key }) => key !== 'classes'),
    onnx.StringStringEntryProto.create({ key: 'classes', value: head.classes.join('\n') })
  ]
  return onnx.ModelProto.encode(model).finish()
}

/** The names of the classes that a model with a new head brings along. */
export function classesOf(bytes: Uint8Array): string[] | undefined {
  const { metadataProps } = onnx.ModelProto.decode(bytes)
  return metadataProps?.find(({ key }) => key === 'classes')?.value?.split('\n')
}

/** Values that lead to one, without what produces changed tensors: these are stored. */
function ancestors(
  nodes: readonly onnxProto.onnx.INodeProto[],
  value: string,
  stored: ReadonlyMap<string, unknown>
): Set<string> {
  const producers = new Map(nodes.flatMap(node => node.output!.map(output => [output, node] as const)))
  const found = new Set<string>()
  const visit = [value]
  for (let next = visit.pop(); next !== undefined; next = visit.pop()) {
    if (found.has(next) || stored.has(next)) continue
    found.add(next)
    visit.push(...(producers.get(next)?.input ?? []))
  }
  return found
}

/** In front of the head's names, so that they are no others'. */
function freshPrefix(graph: onnxProto.onnx.IGraphProto): string {
  const names = new Set([
    ...graph.node!.flatMap(node => [...node.output!, node.name!]),
    ...graph.initializer!.map(({ name }) => name!)
  ])
  let prefix = 'cairn_'
  while ([...names].some(name => name.startsWith(prefix))) prefix = `${prefix}_`
  return prefix
}

function floatTensor(name: string, { shape, data }: FloatTensor): onnxProto.onnx.ITensorProto {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()
  return onnx.TensorProto.create({ name, dims: [...shape], dataType: onnx.TensorProto.DataType.FLOAT, rawData: bytes })
}

function inlined(tensor: onnxProto.onnx.ITensorProto, { externalData }: NewHead): onnxProto.onnx.ITensorProto {
  if (tensor.dataLocation !== onnx.TensorProto.DataLocation.EXTERNAL) return tensor
  const { location, offset, length } = Object.fromEntries(tensor.externalData!.map(({ key, value }) => [key, value]))
  if (!externalData) throw new CompileError(`tensor "${tensor.name}" lies in "${location}", which was not given`)
  const start = Number(offset ?? 0)
  const end = length === undefined ? undefined : start + Number(length)
  return { ...tensor, rawData: externalData(location!).slice(start, end), dataLocation: 0, externalData: [] }
}
