/**
 * Binaryen's passes as AssemblyScript 0.28 orders them at its level 3, with which the kernels of the CPU path are built; but for
 * what packs memory, whose segments have their numbers.
 */
export const passes: readonly string[] = `
duplicate-function-elimination remove-unused-module-elements once-reduction inlining simplify-globals-optimizing
generate-global-effects rse vacuum code-folding ssa-nomerge local-cse remove-unused-brs remove-unused-names merge-blocks
precompute-propagate simplify-globals-optimizing dae-optimizing simplify-locals-nostructure flatten vacuum
simplify-locals-notee-nostructure vacuum local-cse licm merge-locals reorder-locals optimize-instructions avoid-reinterprets dce
remove-unused-brs remove-unused-names merge-blocks inlining precompute-propagate simplify-globals-optimizing pick-load-signs
simplify-locals-notee-nostructure vacuum local-cse reorder-locals coalesce-locals simplify-locals coalesce-locals reorder-locals
vacuum rse vacuum simplify-globals-optimizing simplify-globals-optimizing remove-unused-brs remove-unused-names merge-blocks
optimize-instructions simplify-globals-optimizing dae-optimizing inlining-optimizing duplicate-import-elimination
simplify-globals-optimizing precompute-propagate simplify-globals-optimizing simplify-globals-optimizing directize dae-optimizing
gufa-optimizing inlining-optimizing code-folding ssa-nomerge rse code-pushing simplify-globals vacuum precompute-propagate
inlining-optimizing directize dae-optimizing local-cse merge-locals coalesce-locals simplify-locals vacuum inlining
precompute-propagate rse vacuum ssa-nomerge simplify-locals coalesce-locals optimize-instructions remove-unused-brs
remove-unused-names merge-blocks vacuum simplify-globals-optimizing remove-unused-brs optimize-instructions vacuum reorder-globals
reorder-functions duplicate-function-elimination remove-unused-module-elements discard-global-effects`
  .trim()
  .split(/\s+/)
