import { sameShape } from '../algebra/index.js'
import { type Graph, isConstant, type Node, type Value } from '../graph/index.js'
import { convInputs } from '../ops/index.js'
import { count, type Pass } from './pass.js'
import { actOf, setAct } from './recognise/match.js'

/** An Add of two activations into the epilogue of the Conv or Gemm that computes one of them. */
export const fuseResidual: Pass = {
  name: 'fuse-residual',
  run(graph) {
    let fused = 0
    for (const node of [...graph.nodes]) if (node.op === 'Add' && fuse(graph, node)) fused++
    return count(fused, 'Add')
  }
}

function fuse(graph: Graph, add: Node): boolean {
  const [a, b] = add.inputs as [Value, Value]
  if (a === b || !sameShape(a.shape, b.shape) || isConstant(a) || isConstant(b)) return false
  // The later of two candidates: when it runs, the other operand is there.
  const hosts = (
    [
      [a, b],
      [b, a]
    ] as const
  )
    .filter(([own]) => canHost(graph, own, add))
    .sort(([x], [y]) => graph.nodes.indexOf(y.producer!) - graph.nodes.indexOf(x.producer!))
  if (!hosts.length) return false
  const [own, other] = hosts[0]
  const host = own.producer!
  graph.setInput(host, convInputs.residual, other)
  if (actOf(host) === 'identity') {
    host.attributes.set('residual', 'before')
    setAct(host, actOf(add), add.number('alpha', 0), add.number('beta', 0))
  } else host.attributes.set('residual', 'after')
  // The host moves to where the Add stood: only there is its other operand sure to exist.
  graph.nodes.splice(graph.nodes.indexOf(host), 1)
  graph.nodes.splice(graph.nodes.indexOf(add), 0, host)
  graph.bypass(add, own)
  return true
}

function canHost(graph: Graph, value: Value, add: Node): boolean {
  const host = value.producer
  if (!host || !['Conv', 'ConvTranspose', 'Gemm'].includes(host.op) || graph.onlyUser(value) !== add) return false
  if (host.inputs[convInputs.residual]) return false
  return actOf(host) === 'identity' || actOf(add) === 'identity'
}
