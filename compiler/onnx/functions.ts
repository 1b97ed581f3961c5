import onnxProto from '../../schema/onnx.js'
import { CompileError } from '../errors.js'
import { bytesOf } from './protobuf.js'

const { onnx } = onnxProto

type GraphProto = onnxProto.onnx.IGraphProto
type AttributeProto = onnxProto.onnx.IAttributeProto

/** A node, and what onnx-proto's schema or the place that it came from does not tell. */
export interface SourceNode extends onnxProto.onnx.INodeProto {
  /** Of functions of one name the one that is called. */
  overload?: string
  /** The operator set in which it is read, where that is not the model's. */
  opset?: number
}

interface Definition extends onnxProto.onnx.IFunctionProto {
  readonly overload: string
  readonly defaults: readonly AttributeProto[]
}

/** Nodes that functions may become, and calls within calls: functions that call others twice grow like powers of two. */
const mostNodes = 2 ** 17
const deepest = 100

/**
 * Puts the bodies of a model's own functions in the place of the nodes that call them, in branches too; names in them begin with
 * the name of the call. A function goes before an operator of its name. `bytes` is the model, of which some fields are newer than
 * the schema.
 */
export function inlineFunctions(model: onnxProto.onnx.ModelProto, bytes: Uint8Array): void {
  if (!model.functions?.length) return
  const definitions = definitionsOf(model, bytes)
  if (definitions.some(({ overload }) => overload)) readOverloads(model, bytes)
  const table = new Map(definitions.map(definition => [keyOf(definition), definition]))
  const own = model.graph!
  own.node = new Inliner(table, namesIn(own)).expand(own.node ?? [], [])
}

/** Functions as a message names them, by domain. */
export function functionNames({ functions }: onnxProto.onnx.IModelProto): Map<string, Set<string>> {
  const names = new Map<string, Set<string>>()
  for (const { domain, name } of functions ?? [])
    names.set(domainOf(domain), (names.get(domainOf(domain)) ?? new Set()).add(name!))
  return names
}

class Inliner {
  private left = mostNodes

  constructor(
    private readonly table: ReadonlyMap<string, Definition>,
    private readonly taken: Set<string>
  ) {}

  /** The nodes without calls. `path` has the calls that they are in. */
  expand(nodes: readonly SourceNode[], path: readonly Call[]): SourceNode[] {
    const names = nodeNames(nodes)
    return nodes.flatMap((node, i) => {
      for (const graph of graphsOf(node)) graph.node = this.expand(graph.node ?? [], path)
      const definition = this.table.get(keyOf({ domain: node.domain, name: node.opType, overload: node.overload }))
      return definition ? this.call(changed(node, { name: names[i] }), definition, path) : [node]
    })
  }

  private call(node: SourceNode, definition: Definition, path: readonly Call[]): SourceNode[] {
    const where = `${node.domain || 'ai.onnx'}:${node.opType} "${node.name}"`
    if (path.some(call => call.definition === definition))
      throw new CompileError(
        `${where}: function ${definition.name} calls itself, by ${path.map(({ name }) => `"${name}"`).join(', ')}`
      )
    if (path.length === deepest) throw new CompileError(`${where}: functions call each other more than ${deepest} deep`)
    const [inputs, outputs] = [definition.input ?? [], definition.output ?? []]
    for (const [what, given, allowed] of [
      ['inputs', node.input ?? [], inputs],
      ['outputs', node.output ?? [], outputs]
    ] as const)
      if (given.length > allowed.length)
        throw new CompileError(
          `${where}: has ${given.length} ${what}; function ${definition.name} has ${allowed.length}`
        )
    const body = this.body(node, definition)
    this.left -= body.length
    if (this.left < 0) throw new CompileError(`${where}: functions make more than ${mostNodes} nodes`)
    return this.expand(body, [...path, { definition, name: node.name! }])
  }

  /** The function's nodes with the call's names and attributes. */
  private body(node: SourceNode, definition: Definition): SourceNode[] {
    const names = new Map<string, string>([['', '']])
    definition.input?.forEach((formal, i) => names.set(formal, node.input?.[i] ?? ''))
    const passed: SourceNode[] = []
    definition.output?.forEach((formal, i) => {
      const output = node.output?.[i]
      if (!output) return
      if (!names.has(formal)) names.set(formal, output)
      else
        passed.push({
          opType: 'Identity',
          input: [names.get(formal)!],
          output: [output],
          name: `${node.name}/${formal}`
        })
    })
    const given = new Map([...definition.defaults, ...(node.attribute ?? [])].map(a => [a.name!, a]))
    const standard = definition.opsetImport?.find(({ domain }) => domainOf(domain) === '')
    const opset = standard ? Number(standard.version) : node.opset
    const rename = (name: string): string => {
      if (!names.has(name)) names.set(name, this.fresh(`${node.name}/${name}`))
      return names.get(name)!
    }
    const renamed = <T extends { name?: string | null }>(list: readonly T[] | null | undefined): T[] =>
      (list ?? []).map(item => changed(item, { name: rename(item.name!) } as Partial<T>))
    const copyGraph = (graph: GraphProto): GraphProto =>
      changed(graph, {
        initializer: renamed(graph.initializer),
        input: renamed(graph.input),
        node: copyNodes(graph.node ?? []),
        output: renamed(graph.output)
      })
    const copyAttribute = (a: AttributeProto): AttributeProto[] => {
      if (!a.refAttrName)
        return [graphsIn(a).length ? changed(a, { g: a.g && copyGraph(a.g), graphs: a.graphs?.map(copyGraph) }) : a]
      const value = given.get(a.refAttrName)
      return value ? [changed(value, { name: a.name })] : []
    }
    const copyNodes = (nodes: readonly SourceNode[]): SourceNode[] => {
      const own = nodeNames(nodes)
      return nodes.map((inner, i) =>
        changed(inner, {
          name: `${node.name}/${own[i]}`,
          opset,
          input: inner.input?.map(rename),
          output: inner.output?.map(rename),
          attribute: inner.attribute?.flatMap(copyAttribute)
        })
      )
    }
    return [...copyNodes(definition.node ?? []), ...passed.map(identity => ({ ...identity, opset }))]
  }

  private fresh(name: string): string {
    let own = name
    for (let i = 1; this.taken.has(own); i++) own = `${name}_${i}`
    this.taken.add(own)
    return own
  }
}

interface Call {
  readonly definition: Definition
  readonly name: string
}

const domainOf = (domain: string | null | undefined) => (domain === 'ai.onnx' ? '' : (domain ?? ''))

const keyOf = ({ domain, name, overload }: { domain?: string | null; name?: string | null; overload?: string }) =>
  JSON.stringify([domainOf(domain), name, overload ?? ''])

/** A message with some fields changed; fields that were left out keep their defaults. */
function changed<T extends object>(message: T, fields: Partial<T>): T {
  return Object.assign(Object.create(Object.getPrototypeOf(message)), message, fields)
}

const graphsIn = ({ g, graphs }: AttributeProto): GraphProto[] => [...(g ? [g] : []), ...(graphs ?? [])]

/** The graphs in a node's attributes. */
export const graphsOf = ({ attribute }: SourceNode): GraphProto[] => (attribute ?? []).flatMap(graphsIn)

/** Names of nodes and values, those in branches included. */
function namesIn(graph: GraphProto, names = new Set<string>()): Set<string> {
  for (const { name } of [...(graph.input ?? []), ...(graph.initializer ?? [])]) names.add(name!)
  for (const node of graph.node ?? []) {
    for (const output of node.output ?? []) names.add(output)
    for (const inner of graphsOf(node)) namesIn(inner, names)
  }
  return names
}

/** Nodes' names, or operator and position where they have none or not one of their own. */
export function nodeNames(nodes: readonly { name?: string | null; opType?: string | null }[]): string[] {
  const names = new Set<string>()
  return nodes.map(({ name, opType }, index) => {
    const given = name || `${opType}_${index}`
    const own = names.has(given) ? `${given}_${index}` : given
    names.add(own)
    return own
  })
}

/** Numbers of fields in onnx.proto. */
const inModel = { graph: 7, functions: 25 }
const inGraph = { node: 1 }
const inNode = { attribute: 5, overload: 8 }
const inAttribute = { g: 6, graphs: 11 }
const inFunction = { node: 7, attributeProto: 11, overload: 13 }

const textOf = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes)

function definitionsOf({ functions }: onnxProto.onnx.IModelProto, bytes: Uint8Array): Definition[] {
  const raw = bytesOf(bytes, inModel.functions)
  return functions!.map((definition, i) => ({
    ...definition,
    overload: textOf(bytesOf(raw[i], inFunction.overload).at(-1)),
    defaults: bytesOf(raw[i], inFunction.attributeProto).map(attribute => onnx.AttributeProto.decode(attribute))
  }))
}

/** Sets `overload` of every node that has one. */
function readOverloads({ graph, functions }: onnxProto.onnx.IModelProto, bytes: Uint8Array): void {
  const inNodes = (nodes: readonly SourceNode[], raw: readonly Uint8Array[]) =>
    nodes.forEach((node, i) => {
      node.overload = textOf(bytesOf(raw[i], inNode.overload).at(-1))
      const attributes = bytesOf(raw[i], inNode.attribute)
      node.attribute?.forEach(({ g, graphs }, k) => {
        if (g) inNodes(g.node ?? [], bytesOf(bytesOf(attributes[k], inAttribute.g).at(-1)!, inGraph.node))
        const inner = bytesOf(attributes[k], inAttribute.graphs)
        graphs?.forEach((each, n) => inNodes(each.node ?? [], bytesOf(inner[n], inGraph.node)))
      })
    })
  inNodes(graph!.node ?? [], bytesOf(bytesOf(bytes, inModel.graph).at(-1)!, inGraph.node))
  const raw = bytesOf(bytes, inModel.functions)
  functions!.forEach(({ node }, i) => inNodes(node ?? [], bytesOf(raw[i], inFunction.node)))
}
