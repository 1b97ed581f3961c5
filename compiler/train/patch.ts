import { CairnError } from '../../runtime/backend.js'
import { decodeBundle, encodeBundle, type NamedTensor } from '../../runtime/train/bundle.js'
import type { ImportOptions } from '../onnx.js'
import { openBackbone } from './backbone.js'
import type { Cut } from './network.js'

/** What training has changed of a network: a new head, and the tensors of the blocks that were trained with it. */
export interface Patch {
  /** Digest of the model that it was trained on. */
  readonly backbone: number
  readonly cut: Cut
  readonly classes: readonly string[]
  readonly tensors: readonly NamedTensor[]
}

export function encodePatch(
  backbone: number,
  cut: Cut,
  classes: readonly string[],
  tensors: readonly NamedTensor[]
): Uint8Array {
  return encodeBundle({ kind: 'patch', note: JSON.stringify({ backbone, cut, classes }), tensors })
}

/** Throws CairnError for bytes that are no patch. */
export function decodePatch(bytes: Uint8Array): Patch {
  const { note, tensors } = decodeBundle(bytes, 'patch')
  return { ...(JSON.parse(note) as Omit<Patch, 'tensors'>), tensors }
}

/**
 * The model with a patch's head and tensors, in its own format: ONNX bytes that any runtime takes, or those of a .cairn file.
 * Outputs are `probabilities` and `logits`, [N, classes]. Throws CairnError for a patch of another model.
 */
export async function applyPatch(
  model: Uint8Array,
  bytes: Uint8Array,
  options: ImportOptions = {}
): Promise<Uint8Array> {
  const patch = decodePatch(bytes)
  const backbone = openBackbone(model, options)
  if (patch.backbone !== backbone.digest)
    throw new CairnError('the patch belongs to another backbone: it was trained on a model with another digest')
  return backbone.merged(patch)
}
