// Quantised models whose every layer can be compared by itself, so that ties of rounding in one do not show in the next.
import type { onnx } from 'onnx-proto'
import { decodeModel, encodeModel } from './model.js'

/** Names of the floats that stand between layers: what every DequantizeLinear of an activation gives. */
function between(graph: onnx.IGraphProto): Set<string> {
  const constants = new Set(graph.initializer!.map(({ name }) => name!))
  return new Set(
    graph
      .node!.filter(({ opType, input }) => opType === 'DequantizeLinear' && !constants.has(input![0]))
      .map(n => n.output![0])
  )
}

/** The model with all floats between layers as outputs. */
export function withLayers(model: Uint8Array): { model: Uint8Array; names: string[] } {
  const proto = decodeModel(model)
  const graph = proto.graph!
  const names = [...between(graph)]
  const own = new Set(graph.output!.map(({ name }) => name))
  for (const name of names) if (!own.has(name)) graph.output!.push({ name, type: { tensorType: { elemType: 1 } } })
  return { model: encodeModel(proto), names }
}

/** The model with its layers side by side: each takes the floats between layers as inputs, and gives what stands behind it under `NAME out`. */
export function apart(model: Uint8Array): Uint8Array {
  const proto = decodeModel(model)
  const graph = proto.graph!
  const names = between(graph)
  for (const node of graph.node!)
    if (node.opType === 'DequantizeLinear' && names.has(node.output![0])) node.output = [`${node.output![0]} out`]
  const read = new Set(graph.node!.flatMap(({ input }) => input!))
  graph.input!.push(
    ...[...names].filter(name => read.has(name)).map(name => ({ name, type: { tensorType: { elemType: 1 } } }))
  )
  graph.output = [...names].map(name => ({ name: `${name} out`, type: { tensorType: { elemType: 1 } } }))
  return encodeModel(proto)
}
