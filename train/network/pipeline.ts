import { spellBatchStatistics, spellNorms } from '../../compiler/gradients/index.js'
import type { Graph, Value, WinogradTile } from '../../compiler/graph/index.js'
import { lower } from '../../compiler/lower/index.js'
import {
  deadCode,
  decompose,
  foldConstants,
  fuseActivation,
  fuseResidual,
  layout,
  lowerBatchNorm,
  type Pass,
  recogniseActivations,
  removeIdentity,
  verify
} from '../../compiler/passes/index.js'
import { admitTraining } from '../../runtime/check/index.js'
import type { Program } from '../../runtime/file/index.js'

admitTraining()

/** The passes around the backward pass: a training step is compiled by the same ones as a model, where they may run. */

function run(graph: Graph, passes: readonly Pass[]): void {
  for (const pass of passes) {
    pass.run(graph)
    verify(graph, pass.name)
  }
}

/**
 * Brings a graph to operators that have gradients; each BatchNormalization uses its batch's statistics, of which the running ones
 * take the share `least` at least, or without it those that it has. `folds` are passes that only constant weights allow.
 */
export function makeDifferentiable(graph: Graph, least?: Value, folds: readonly Pass[] = []): void {
  run(graph, [foldConstants, deadCode, removeIdentity])
  spellNorms(graph)
  if (least)
    for (const node of [...graph.nodes]) if (node.op === 'BatchNormalization') spellBatchStatistics(graph, node, least)
  run(graph, [decompose, recogniseActivations, ...folds, lowerBatchNorm])
}

/**
 * Lowers a graph with its backward pass. What computes a state is needed although nobody reads it: nothing is taken out. Filters
 * that are transformed for Winograd have to be constants, which those that are learnt are not.
 */
export function lowerStep(graph: Graph, winograd: WinogradTile = 0): Program {
  run(graph, [foldConstants, fuseActivation, fuseResidual, layout])
  return lower(graph, { winograd })
}
