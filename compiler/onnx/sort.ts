import type onnxProto from '../../schema/onnx.js'
import { CompileError } from '../errors.js'
import { graphsOf, nodeNames, type SourceNode } from './functions.js'

type GraphProto = onnxProto.onnx.IGraphProto

/**
 * Puts nodes behind those that they read, also through their branches, and else leaves them where they stand; branches alike.
 * Throws CompileError for nodes that read each other in a circle.
 */
export function sortNodes(graph: GraphProto): void {
  const nodes = (graph.node ?? []) as SourceNode[]
  for (const node of nodes) for (const inner of graphsOf(node)) sortNodes(inner)
  const makers = new Map<string, number>()
  nodes.forEach(({ output }, i) => {
    for (const name of output ?? []) if (name && !makers.has(name)) makers.set(name, i)
  })
  const behind = nodes.map(node => [...readBy(node)].flatMap(name => makers.get(name) ?? []))
  if (behind.every((makers, i) => makers.every(maker => maker < i))) return
  const sorted: SourceNode[] = []
  const state = new Uint8Array(nodes.length)
  nodes.forEach((_, first) => {
    const path = state[first] ? [] : [first]
    while (path.length) {
      const at = path[path.length - 1]
      state[at] = open
      const next = behind[at].find(maker => state[maker] !== done)
      if (next === undefined) {
        state[at] = done
        sorted.push(nodes[at])
        path.pop()
      } else if (state[next] === open) circle(nodes, path.slice(path.indexOf(next)))
      else path.push(next)
    }
  })
  graph.node = sorted
}

const open = 1
const done = 2

function circle(nodes: readonly SourceNode[], path: readonly number[]): never {
  const names = nodeNames(nodes)
  const shown = path.slice(0, 8).map(at => `${nodes[at].opType} "${names[at]}"`)
  const more = path.length > shown.length ? `, and ${path.length - shown.length} more` : ''
  throw new CompileError(`nodes read each other in a circle: ${shown.join(', ')}${more}`)
}

/** What a node takes, its branches included. */
function readBy(node: SourceNode): Set<string> {
  return new Set([...(node.input ?? []), ...graphsOf(node).flatMap(graph => [...readFromOutside(graph)])])
}

function readFromOutside(graph: GraphProto): Set<string> {
  const read = new Set(graph.node?.flatMap(node => [...readBy(node)]))
  for (const { name } of graph.output ?? []) read.add(name!)
  for (const { name } of [...(graph.input ?? []), ...(graph.initializer ?? [])]) read.delete(name!)
  for (const { output } of graph.node ?? []) for (const name of output ?? []) read.delete(name)
  return read
}
