import { spellBatchStatistics, spellNorms } from '../../compiler/gradients/normalize.js'
import type { Graph, Value } from '../../compiler/graph/graph.js'
import { lower } from '../../compiler/lower/lower.js'
import { deadCode } from '../../compiler/passes/remove-unused.js'
import { decompose } from '../../compiler/passes/decompose.js'
import { foldConstants } from '../../compiler/passes/fold-constants.js'
import { fuseActivation } from '../../compiler/passes/fuse-activation.js'
import { fuseResidual } from '../../compiler/passes/fuse-residual.js'
import { layout } from '../../compiler/passes/layout.js'
import { lowerBatchNorm } from '../../compiler/passes/fold-batchnorm.js'
import { type Pass } from '../../compiler/passes/pass.js'
import { recogniseActivations } from '../../compiler/passes/recognise/recognise-activations.js'
import { removeIdentity } from '../../compiler/passes/remove-identity.js'
import { verify } from '../../compiler/passes/verify.js'
import type { Program } from '../../runtime/file/program.js'

/** The passes around the backward pass: a training step is compiled by the same ones as a model, where they may run. */

function run(graph: Graph, passes: readonly Pass[]): void {
  for (const pass of passes) {
    pass.run(graph)
    verify(graph, pass.name)
  }
}

/**
 * Brings a graph to operators that have gradients; each BatchNormalization uses its batch's statistics, of which the running ones
 * take the share `least` at least, or without it those that it has.
 */
export function makeDifferentiable(graph: Graph, least?: Value): void {
  run(graph, [foldConstants, deadCode, removeIdentity])
  spellNorms(graph)
  if (least)
    for (const node of [...graph.nodes]) if (node.op === 'BatchNormalization') spellBatchStatistics(graph, node, least)
  run(graph, [decompose, lowerBatchNorm, recogniseActivations])
}

/** Lowers a graph with its backward pass. What computes a state is needed although nobody reads it: nothing is taken out. */
export function lowerStep(graph: Graph): Program {
  run(graph, [foldConstants, fuseActivation, fuseResidual, layout])
  return lower(graph, { winograd: 0 })
}
