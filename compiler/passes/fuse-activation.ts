import { type Graph, isConstant, type Node } from '../graph/index.js'
import { convInputs } from '../ops/index.js'
import { count, type Pass } from './pass.js'
import { actOf, perChannel, setAct } from './recognise/match.js'

/** Operators whose kernels end in an epilogue. */
const hosts = new Set([
  'Conv',
  'ConvTranspose',
  'Gemm',
  'MatMul',
  'Add',
  'Sub',
  'Mul',
  'Div',
  'ScaleShift',
  'InstanceNormalization',
  'GroupNormalization'
])
const withSlope = new Set(['Conv', 'ConvTranspose', 'Gemm'])

/** An activation into the epilogue of the node before it, when nobody else reads what stands between. */
export const fuseActivation: Pass = {
  name: 'fuse-activation',
  run(graph) {
    let fused = 0
    for (const node of [...graph.nodes]) {
      const host = node.inputs[0]?.producer
      if (!host || !hosts.has(host.op) || graph.onlyUser(host.output) !== node || actOf(host) !== 'identity') continue
      if (host.output.dtype !== 'float32' && host.output.dtype !== 'float16') continue
      if (node.op === 'Activation') setAct(host, actOf(node), node.number('alpha', 0), node.number('beta', 0))
      else if (!fuseSlope(graph, node, host)) continue
      graph.bypass(node)
      fused++
    }
    return count(fused, 'activation')
  }
}

/** PRelu with one slope a channel. */
function fuseSlope(graph: Graph, node: Node, host: Node): boolean {
  if (node.op !== 'PRelu' || !withSlope.has(host.op) || !isConstant(node.inputs[1])) return false
  const slopes = perChannel(node.inputs[1], node.inputs[0]!)
  if (!slopes) return false
  const slope = graph.constant(graph.unique(node.name), Float32Array.from(slopes), [slopes.length])
  graph.setInput(host, convInputs.slope, slope)
  setAct(host, 'prelu', 0, 0)
  return true
}
