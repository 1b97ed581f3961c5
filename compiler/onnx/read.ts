import { bytesOf } from '../../runtime/base/index.js'
import onnxProto from '../../schema/onnx.js'
import { type Dim, free } from '../algebra/index.js'
import { CompileError } from '../errors.js'
import { type Attribute, type Branch, type Elements, Graph, Node, type Tensor, Value } from '../graph/index.js'
import { counting, ownOps } from '../ops/index.js'
import { functionNames, inlineFunctions, nodeNames, type SourceNode } from './functions.js'
import { kindOf } from './kinds.js'
import { upgrade } from './opsets.js'
import { fixedInputs, type Settings } from './settings.js'
import { sortNodes } from './sort.js'
import { decodeElements, dtypeNames } from './tensor-proto.js'

const { onnx } = onnxProto

export interface ImportOptions {
  /**
   * Shapes by input name, for inputs whose dimensions shall not stay as the model has them: numbers, and names of free
   * dimensions, of which equal ones are one.
   */
  readonly shapes?: Readonly<Record<string, readonly (number | string)[]>>
  /**
   * Values of inputs that decide shapes, axes or conditions, by name: numbers, lists and arrays of them, or tensors. They are
   * constants of the model then, and no inputs of it.
   */
  readonly settings?: Settings
  /** Contents of an external data file by the location that the model names. */
  readonly externalData?: (location: string) => Uint8Array
  /** Told in a line each what may be otherwise than was asked for: weights that halves cannot hold, an opset that is too new. */
  readonly onNote?: (note: string) => void
}

/** The oldest operator set whose meaning this importer knows. */
const oldestOpset = 6
/** The newest that is compared with onnxruntime (test/onnx/opsets.ts). */
const newestOpset = 23
/** What has not changed since the first. */
const unchanged = new Set(['GlobalAveragePool', 'GlobalMaxPool', 'Not', 'Softplus', 'Softsign', 'Tanh', 'Transpose'])

/** Reads ONNX protobuf into a graph. The only file, with those named like it and tensor-proto.ts, that knows ONNX's encoding and its opsets. */
export function importOnnx(bytes: Uint8Array, options: ImportOptions = {}): Graph {
  const model = decodeModel(bytes)
  const proto = model.graph!
  const opset = opsetOf(model)
  if (opset > newestOpset)
    options.onNote?.(
      `opset ${opset} is newer than ${newestOpset}, the newest that is known; its operators are read as those of ${newestOpset}`
    )
  const graph = new Graph(proto.name || 'model')
  graph.functions = functionNames(model)
  const values = new Map<string, Value>()
  const scope = { graph, options, opset, values }
  addConstants(proto, scope)
  for (const [name, { dtype, shape, data }] of fixedInputs(proto, options.settings))
    values.set(name, graph.constant(name, data, shape, dtype))
  const named = namesOf(proto, options)
  for (const info of proto.input ?? []) {
    if (values.has(info.name!)) continue
    const value = inputValue(info, options, graph.inputs.length === 0, named)
    values.set(value.name, value)
    graph.inputs.push(value)
  }
  for (const name of Object.keys(options.shapes ?? {}))
    if (!graph.inputs.some(input => input.name === name))
      throw new CompileError(`no input "${name}"; the model has ${graph.inputs.map(i => `"${i.name}"`).join(', ')}`)
  addNodes(proto, scope)
  for (const info of proto.output ?? []) {
    const value = values.get(info.name!)
    if (!value) throw new CompileError(`output "${info.name}" is produced by no node`)
    graph.outputs.push(value)
    graph.outputNames.push(info.name!)
  }
  if (!graph.outputs.length) throw new CompileError('the model has no outputs')
  return graph
}

/** Where names mean values. */
interface Scope {
  readonly graph: Graph
  readonly options: ImportOptions
  readonly opset: number
  readonly values: Map<string, Value>
  /** The node that holds the graph that is read, in front of which its nodes go; none for the model's own. */
  readonly holder?: Node
}

/** What a value or node is called in the graph: branches may use a name that another one has. */
const ownName = ({ graph, holder }: Scope, name: string) => (holder ? graph.unique(name) : name)

function addConstants(proto: onnxProto.onnx.IGraphProto, scope: Scope): void {
  const { graph, options, values } = scope
  for (const tensor of proto.initializer ?? []) {
    const { dtype, shape, data } = decodeTensor(tensor, options)
    values.set(tensor.name!, graph.constant(ownName(scope, tensor.name!), data, shape, dtype))
  }
  if (proto.sparseInitializer?.length) throw new CompileError('sparse initialisers are not supported')
}

function addNodes(proto: onnxProto.onnx.IGraphProto, scope: Scope): void {
  const { graph, values, holder } = scope
  const names = nodeNames(proto.node ?? [])
  proto.node?.forEach((source: SourceNode, index) => {
    const { opset = scope.opset } = source
    const op = operatorOf(source)
    const name = ownName(scope, names[index])
    const node = new Node(op, name, attributesOf(source, name, { ...scope, opset }))
    const inputs = (source.input ?? []).map(input => {
      if (input === '') return undefined
      const value = values.get(input)
      if (!value) throw new CompileError(`${op} "${name}": input "${input}" is produced by nothing before it`)
      return value
    })
    while (inputs.length && inputs[inputs.length - 1] === undefined) inputs.pop()
    const given = [...(source.output ?? [])]
    while (given.length > 1 && given[given.length - 1] === '') given.pop()
    const outputs = given.map(output => {
      if (output && values.has(output)) throw new CompileError(`${op} "${name}": output "${output}" is written twice`)
      const value = new Value(ownName(scope, output))
      values.set(output, value)
      return value
    })
    // How many there are is an output of its own.
    if (counting.has(op)) outputs.push(new Value(graph.unique(name)))
    upgrade(graph, node, inputs, opset)
    graph.insert(node, inputs, outputs, holder)
  })
}

/** Of ONNX's own the plain name; of others with the domain, so that none passes for one of those or of Cairn's. */
function operatorOf({ domain, opType }: onnxProto.onnx.INodeProto): string {
  const plain = (!domain || domain === 'ai.onnx') && !ownOps.has(opType!)
  return plain ? opType! : `${domain || 'ai.onnx'}:${opType}`
}

/** A branch sees what its node could see, and nothing sees what is in it but its outputs. Its constants are read once. */
function branchOf(proto: onnxProto.onnx.IGraphProto, outer: Scope): Branch {
  const values = new Map(outer.values)
  let isRead = false
  return {
    inline(holder, inputs = []) {
      const subject = `${holder.op} "${holder.name}"`
      const formal = (proto.input ?? []).filter(({ name }) => !proto.initializer?.some(tensor => tensor.name === name))
      if (formal.length !== inputs.length)
        throw new CompileError(`${subject}: its graph has ${formal.length} inputs, not ${inputs.length}`)
      if (!isRead) addConstants(proto, { ...outer, values, holder })
      isRead = true
      const scope = { ...outer, values: new Map(values), holder }
      formal.forEach(({ name }, i) => scope.values.set(name!, inputs[i]))
      addNodes(proto, scope)
      return (proto.output ?? []).map(({ name }) => {
        const value = scope.values.get(name!)
        if (value) return value
        throw new CompileError(`${subject}: its output "${name}" is produced by no node`)
      })
    }
  }
}

/** A model whose functions stand where they are called, and its nodes in order. Throws CompileError for what is no ONNX model. */
export function decodeModel(given: Uint8Array): onnxProto.onnx.ModelProto {
  const bytes = bytesOf(given)
  if (!bytes) throw new CompileError('a model is given as its bytes; a Uint8Array and an ArrayBuffer are allowed')
  const other = kindOf(bytes)
  if (other) throw new CompileError(`not an ONNX model but ${other.what}`)
  let model: onnxProto.onnx.ModelProto
  try {
    model = onnx.ModelProto.decode(bytes)
    if (model.graph) inlineFunctions(model, bytes)
  } catch (error) {
    if (error instanceof CompileError) throw error
    throw new CompileError(`not an ONNX model, or a truncated one (${(error as Error).message})`)
  }
  if (!model.graph || !model.opsetImport?.length) throw new CompileError('not an ONNX model: it has no graph')
  sortNodes(model.graph)
  return model
}

/** As `decodeModel`, for what shall be written again: no function is left, nor a node of another opset than the model's. */
export function decodePlainModel(bytes: Uint8Array): onnxProto.onnx.ModelProto {
  const model = decodeModel(bytes)
  const opset = opsetOf(model)
  const other = (model.graph!.node as SourceNode[]).find(node => (node.opset ?? opset) !== opset)
  if (other)
    throw new CompileError(
      `${other.opType} "${other.name}" is of a function in opset ${other.opset}, the model in opset ${opset}; one for both is allowed where the model is written anew`
    )
  model.functions = []
  return model
}

/** The files that hold a model's external data, each once. */
export function externalFiles(bytes: Uint8Array): string[] {
  const { EXTERNAL } = onnx.TensorProto.DataLocation
  const found = new Set<string>()
  const look = (tensor: onnxProto.onnx.ITensorProto | null | undefined) => {
    if (tensor?.dataLocation !== EXTERNAL) return
    for (const { key, value } of tensor.externalData ?? []) if (key === 'location') found.add(String(value))
  }
  const walk = ({ initializer, node }: onnxProto.onnx.IGraphProto) => {
    initializer?.forEach(look)
    for (const { attribute } of node ?? [])
      for (const { t, tensors, g, graphs } of attribute ?? []) {
        for (const tensor of [t, ...(tensors ?? [])]) look(tensor)
        for (const graph of [g, ...(graphs ?? [])]) if (graph) walk(graph)
      }
  }
  const model = decodeModel(bytes)
  walk(model.graph!)
  for (const { node } of model.functions ?? []) walk({ node })
  return [...found]
}

function opsetOf(model: onnxProto.onnx.ModelProto): number {
  const standard = model.opsetImport!.find(entry => !entry.domain || entry.domain === 'ai.onnx')
  const version = Number(standard?.version ?? 0)
  for (const { opType, opset = version } of (model.graph!.node ?? []) as SourceNode[])
    if (standard && opset < oldestOpset && !unchanged.has(opType!))
      throw new CompileError(`opset ${opset} is too old for ${opType}; ${oldestOpset} and newer are read`)
  return version
}

/** What exporters call a dimension of which they know nothing: each is one of its own. */
const unknown: ReadonlySet<string> = new Set(['', '?', '-1', '0', '*', 'none', 'null', 'unk', 'unknown', 'dynamic'])

const isName = (param: string | null | undefined): param is string =>
  typeof param === 'string' && !unknown.has(param.trim().toLowerCase())

/** The names that the model and the caller give dimensions, which no unknown one may take. */
function namesOf({ input }: onnxProto.onnx.IGraphProto, { shapes = {} }: ImportOptions): Set<string> {
  const declared = (input ?? [])
    .flatMap(({ type }) => type?.tensorType?.shape?.dim ?? [])
    .map(({ dimParam }) => dimParam)
  const given = Object.values(shapes).flatMap(shape => (Array.isArray(shape) ? shape : []))
  return new Set([...declared.filter(isName), ...given.filter(size => typeof size === 'string')])
}

const isGivenSize = (size: unknown) =>
  typeof size === 'string' ? size.length > 0 : Number.isInteger(size) && Number(size) >= 0

function inputValue(
  info: onnxProto.onnx.IValueInfoProto,
  options: ImportOptions,
  first: boolean,
  named: ReadonlySet<string>
): Value {
  const name = info.name!
  const type = info.type?.tensorType
  if (!type) throw new CompileError(`input "${name}" is not a tensor`)
  const dtype = dtypeNames[type.elemType ?? 0]
  if (!dtype) throw new CompileError(`input "${name}" has element type ${type.elemType}, which is not supported`)
  const declared = type.shape?.dim
  const given = options.shapes?.[name]
  if (given !== undefined && !(Array.isArray(given) && given.every(isGivenSize)))
    throw new CompileError(`input "${name}": shape [${given}] must be whole numbers of at least 0, or names`)
  if (!declared && !given)
    throw new CompileError(`input "${name}" has no shape; compile with --shape ${name}=1x3x224x224 or NxCxHxW`, true)
  if (declared && given && declared.length !== given.length)
    throw new CompileError(
      `input "${name}" has ${declared.length} dimensions, the given shape [${given}] has ${given.length}`
    )
  const shape = (given ?? declared!).map((_, axis): Dim => {
    const param = declared?.[axis]?.dimParam
    const size = param ? 0 : Number(declared?.[axis]?.dimValue ?? 0)
    if (given) {
      const wanted = given[axis]
      if (size > 0 && size !== wanted)
        throw new CompileError(`input "${name}": axis ${axis} is ${size} in the model, ${wanted} in the given shape`)
      return typeof wanted === 'number' ? wanted : free(wanted)
    }
    if (size > 0) return size
    if (isName(param)) return free(param)
    const usual = first && ['N', '', 'H', 'W'][axis]
    if (usual && !named.has(usual)) return free(usual)
    let own = `${name}_${axis}`
    while (named.has(own)) own += '_'
    return free(own)
  })
  return new Value(name, dtype, shape)
}

function attributesOf(source: onnxProto.onnx.INodeProto, node: string, scope: Scope): Map<string, Attribute> {
  const attributes = new Map<string, Attribute>()
  const { AttributeType } = onnx.AttributeProto
  for (const a of source.attribute ?? []) {
    // Files of the first IR versions leave the type out.
    const type = a.type || (a.t ? 4 : a.ints?.length ? 7 : a.floats?.length ? 6 : a.s?.length ? 3 : a.f ? 1 : 2)
    if (type === AttributeType.FLOAT) attributes.set(a.name!, a.f!)
    else if (type === AttributeType.INT) attributes.set(a.name!, Number(a.i))
    else if (type === AttributeType.STRING) attributes.set(a.name!, utf8(a.s!))
    else if (type === AttributeType.FLOATS) attributes.set(a.name!, a.floats!.map(Number))
    else if (type === AttributeType.INTS) attributes.set(a.name!, a.ints!.map(Number))
    else if (type === AttributeType.STRINGS) attributes.set(a.name!, a.strings!.map(utf8))
    else if (type === AttributeType.TENSOR) attributes.set(a.name!, decodeTensor(a.t!, scope.options))
    else if (type === AttributeType.GRAPH && a.g) attributes.set(a.name!, branchOf(a.g, scope))
    else attributes.set(a.name!, `unsupported attribute type ${type} at "${node}"`)
  }
  return attributes
}

const utf8 = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

function decodeTensor(tensor: onnxProto.onnx.ITensorProto | null | undefined, options: ImportOptions): Tensor {
  if (!tensor) throw new CompileError('a tensor attribute holds no tensor')
  const subject = `tensor "${tensor.name}"`
  const shape = (tensor.dims ?? []).map(Number)
  const dtype = tensor.dataType === 16 ? 'float32' : dtypeNames[tensor.dataType ?? 0]
  if (!dtype) throw new CompileError(`${subject} has element type ${tensor.dataType}, which is not supported`)
  if (shape.some(size => !(size >= 0))) throw new CompileError(`${subject} has dimensions [${shape}]`)
  const count = shape.reduce((a, b) => a * b, 1)
  let raw = tensor.rawData
  if (tensor.dataLocation === onnx.TensorProto.DataLocation.EXTERNAL) {
    const entry = Object.fromEntries((tensor.externalData ?? []).map(e => [e.key, e.value]))
    if (!options.externalData) throw new CompileError(`${subject} lies in "${entry.location}", which was not given`)
    const file = options.externalData(String(entry.location))
    const start = Number(entry.offset ?? 0)
    const end = entry.length === undefined ? file.length : start + Number(entry.length)
    if (start > file.length || end > file.length) {
      const other = kindOf(file)
      throw new CompileError(
        `${subject} lies in "${entry.location}" from ${start} to ${end}; that ${other ? `is ${other.what}` : `has ${file.length} bytes`}`
      )
    }
    raw = file.subarray(start, end)
  }
  const data: Elements = decodeElements(tensor, raw?.length ? raw : undefined, count, subject)
  return { dtype, shape, data }
}
