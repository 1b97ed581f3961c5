import type { Program } from '../../runtime/program.js'
import { type RunningStatistics, spellBatchNorm, spellNorms } from '../gradients/normalize.js'
import type { Graph, Value } from '../graph.js'
import { lower } from '../lower.js'
import { decompose } from '../passes/decompose.js'
import { lowerBatchNorm } from '../passes/fold-batchnorm.js'
import { foldConstants } from '../passes/fold-constants.js'
import { fuseActivation } from '../passes/fuse-activation.js'
import { fuseResidual } from '../passes/fuse-residual.js'
import { layout } from '../passes/layout.js'
import type { Pass } from '../passes/pass.js'
import { recogniseActivations } from '../passes/recognise-activations.js'
import { removeIdentity } from '../passes/remove-identity.js'
import { deadCode } from '../passes/remove-unused.js'
import { verify } from '../verify.js'

/** The passes around the backward pass: a training step is compiled by the same ones as a model, where they may run. */

export interface Differentiable {
  /** States for the running statistics of a BatchNormalization that is to train with its batch's; undefined where it is frozen. */
  readonly statisticsOf?: (scale: Value) => RunningStatistics | undefined
}

function run(graph: Graph, passes: readonly Pass[]): void {
  for (const pass of passes) {
    pass.run(graph)
    verify(graph, pass.name)
  }
}

/** Brings a graph to operators that have gradients. */
export function makeDifferentiable(graph: Graph, { statisticsOf }: Differentiable = {}): void {
  run(graph, [foldConstants, deadCode, removeIdentity])
  spellNorms(graph)
  for (const node of [...graph.nodes]) {
    const statistics = node.op === 'BatchNormalization' ? statisticsOf?.(node.inputs[1]!) : undefined
    if (statistics) spellBatchNorm(graph, node, statistics)
  }
  run(graph, [lowerBatchNorm, decompose, recogniseActivations])
}

/** Lowers a graph with its backward pass. What computes a state is needed although nobody reads it: nothing is taken out. */
export function lowerStep(graph: Graph): Program {
  run(graph, [foldConstants, fuseActivation, fuseResidual, layout])
  return lower(graph, { winograd: 0 })
}
