import { toHalves } from '../../runtime/base/index.js'
import onnxProto from '../../schema/onnx.js'
import { CompileError } from '../errors.js'
import type { DType } from '../graph/index.js'
import { nodeNames } from './functions.js'
import { decodeModel, decodePlainModel } from './read.js'

const { onnx } = onnxProto

/** A tensor that training has changed, and the inputs of nodes that read it from now on. */
export interface NewTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly data: Float32Array
  readonly dtype: DType
  readonly uses: readonly { readonly node: string; readonly input: number }[]
}

/** A new head for an ONNX model: the layers behind `features`, and the tensors that training has changed. */
export interface NewHead {
  readonly features: string
  readonly featuresType: DType
  /** Whether features are averaged over their spatial axes. */
  readonly pooled: boolean
  /** [classes, features] and [classes] */
  readonly weight: NewTensor
  readonly bias: NewTensor
  /** Names of the classes, kept in the model's metadata as `classes`, one a line. */
  readonly classes: readonly string[]
  readonly tensors: readonly NewTensor[]
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
  const model = decodePlainModel(bytes)
  const graph = model.graph!
  const prefix = freshPrefix(graph)
  const own = ({ name }: NewTensor) => prefix + name
  rewire(graph, head.tensors, own)
  const needed = ancestors(graph.node!, head.features)
  const kept = graph.node!.filter(node => node.output!.some(output => needed.has(output)))
  for (const node of kept)
    if (node.output!.some(output => output === logitsOutput || output === probabilitiesOutput))
      throw new CompileError(`a value of the model is named "${logitsOutput}" or "${probabilitiesOutput}" already`)
  graph.node = [...kept, ...headNodes(head, prefix, own)]
  const read = new Set(graph.node.flatMap(node => node.input!))
  graph.initializer = [
    ...graph.initializer!.filter(({ name }) => read.has(name!)).map(tensor => inlined(tensor, head)),
    ...[...head.tensors, head.weight, head.bias].map(tensor => tensorProto(own(tensor), tensor))
  ]
  graph.input = graph.input!.filter(({ name }) => read.has(name!))
  // Before version 4 every initialiser had to be an input as well.
  if (Number(model.irVersion) < 4) model.irVersion = 4
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

/**
 * The names of the classes that a model brings along: as `writeHead` keeps them, as Ultralytics' exporter does (`names`, a
 * dictionary as Python prints it), or the alphabet of a recogniser of writing (`character`, a sign a line, as RapidOCR does).
 */
export function classesOf(bytes: Uint8Array): string[] | undefined {
  const { metadataProps } = decodeModel(bytes)
  const told = (name: string) => metadataProps?.find(({ key }) => key === name)?.value ?? undefined
  return (told('classes') ?? told('character'))?.split('\n') ?? namesIn(told('names') ?? '')
}

function namesIn(dictionary: string): string[] | undefined {
  const entry = /(\d+):\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")/g
  const names: string[] = []
  for (const [, index, single, double] of dictionary.matchAll(entry))
    names[Number(index)] = (single ?? double).replace(/\\(.)/g, '$1')
  return names.length > 0 && names.length === Object.keys(names).length ? names : undefined
}

/** The nodes that learnt a tensor read the new one; others keep the old. */
function rewire(
  graph: onnxProto.onnx.IGraphProto,
  tensors: readonly NewTensor[],
  own: (tensor: NewTensor) => string
): void {
  const byName = new Map(nodeNames(graph.node!).map((name, i) => [name, graph.node![i]]))
  for (const tensor of tensors)
    for (const { node, input } of tensor.uses) {
      const found = byName.get(node)
      if (found?.input?.[input] === undefined)
        throw new CompileError(`the model has no node "${node}" with an input ${input}, which the patch changes`)
      found.input![input] = own(tensor)
    }
}

function headNodes(
  { features, featuresType, pooled, weight, bias }: NewHead,
  prefix: string,
  own: (tensor: NewTensor) => string
): onnxProto.onnx.INodeProto[] {
  const { INT } = onnx.AttributeProto.AttributeType
  const nodes: onnxProto.onnx.INodeProto[] = []
  const add = (opType: string, input: string[], output: string, attributes: Record<string, number> = {}): string => {
    const attribute = Object.entries(attributes).map(([name, i]) => ({ name, type: INT, i }))
    nodes.push(onnx.NodeProto.create({ opType, input, output: [output], attribute, name: `${prefix}${opType}` }))
    return output
  }
  const single = featuresType === 'float32' ? features : add('Cast', [features], `${prefix}single`, { to: 1 })
  const averaged = pooled ? add('GlobalAveragePool', [single], `${prefix}pooled`) : single
  const flat = add('Flatten', [averaged], `${prefix}flat`)
  const logits = add('Gemm', [flat, own(weight), own(bias)], logitsOutput, { transB: 1 })
  add('Softmax', [logits], probabilitiesOutput, { axis: 1 })
  return nodes
}

/** Values that lead to one. */
function ancestors(nodes: readonly onnxProto.onnx.INodeProto[], value: string): Set<string> {
  const producers = new Map(nodes.flatMap(node => node.output!.map(output => [output, node] as const)))
  const found = new Set<string>()
  const visit = [value]
  for (let next = visit.pop(); next !== undefined; next = visit.pop()) {
    if (found.has(next)) continue
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

/** In the type that the layer computes in. */
function tensorProto(name: string, { shape, data, dtype }: NewTensor): onnxProto.onnx.ITensorProto {
  const { FLOAT, FLOAT16, DOUBLE } = onnx.TensorProto.DataType
  const [dataType, elements] =
    dtype === 'float16'
      ? [FLOAT16, toHalves(data)]
      : dtype === 'float64'
        ? [DOUBLE, Float64Array.from(data)]
        : [FLOAT, data]
  const rawData = new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength).slice()
  return onnx.TensorProto.create({ name, dims: [...shape], dataType, rawData })
}

function inlined(tensor: onnxProto.onnx.ITensorProto, { externalData }: NewHead): onnxProto.onnx.ITensorProto {
  if (tensor.dataLocation !== onnx.TensorProto.DataLocation.EXTERNAL) return tensor
  const { location, offset, length } = Object.fromEntries(tensor.externalData!.map(({ key, value }) => [key, value]))
  if (!externalData) throw new CompileError(`tensor "${tensor.name}" lies in "${location}", which was not given`)
  const start = Number(offset ?? 0)
  const end = length === undefined ? undefined : start + Number(length)
  return { ...tensor, rawData: externalData(location!).slice(start, end), dataLocation: 0, externalData: [] }
}
