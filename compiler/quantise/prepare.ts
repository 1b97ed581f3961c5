import { refuseUnknown } from '../build.js'
import { CompileError } from '../errors.js'
import { type Graph, isConstant, Node } from '../graph/index.js'
import { infer, inferNode } from '../infer/index.js'
import { type ImportOptions, importOnnx } from '../onnx/index.js'
import {
  deadCode,
  foldBatchNorm,
  foldPad,
  foldScaleShift,
  recogniseActivations,
  removeIdentity
} from '../passes/index.js'

/**
 * The model as the quantiser reads it: shapes inferred, constants' arithmetic done, BatchNorms, scales and paddings in the layers
 * beside them. It stays in ONNX's operators, but for functions of one number, which have one spelling; arithmetic on free dimensions
 * stays where it is, because ONNX has no other way to say it.
 */
export function prepared(bytes: Uint8Array, options: ImportOptions): Graph {
  const graph = importOnnx(bytes, options)
  refuseUnknown(graph)
  const quantised = graph.nodes.find(({ op }) => /QuantizeLinear$|^QLinear|Integer$/.test(op))
  if (quantised)
    throw new CompileError(`${quantised.op} "${quantised.name}": the model is quantised already; floats are allowed`)
  infer(graph)
  graph.outputTypes = graph.outputs.map(output => output.dtype)
  removeConstants(graph)
  deadCode.run(graph)
  removeIdentity.run(graph)
  productsOfMatrices(graph)
  for (const pass of [recogniseActivations, foldBatchNorm, foldScaleShift, foldPad, deadCode]) pass.run(graph)
  return graph
}

/** Nodes whose results are numbers; of those that compute with free dimensions nothing is known here. */
function removeConstants(graph: Graph): void {
  for (const node of [...graph.nodes]) {
    if (!node.outputs.every(isConstant)) continue
    for (const output of node.outputs) output.producer = undefined
    graph.remove(node)
  }
}

/** A MatMul by a constant is a Gemm, into which a bias behind it can be folded. */
function productsOfMatrices(graph: Graph): void {
  for (const node of [...graph.nodes]) {
    const [a, b] = node.inputs
    if (node.op !== 'MatMul' || a?.rank !== 2 || b?.rank !== 2 || !isConstant(b)) continue
    const gemm = graph.insert(new Node('Gemm', node.name), [a, b], 1, node)
    inferNode(gemm)
    graph.bypass(node, gemm.output)
  }
}
