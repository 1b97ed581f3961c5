import type { ImportOptions } from '../compiler/onnx/index.js'
import { CairnError } from '../runtime/base/index.js'
import { openBackbone } from './network/open.js'
import { decodePatch } from './patch.js'

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
  const backbone = openBackbone(model, { ...options, shapes: patch.shapes })
  if (patch.backbone !== backbone.digest)
    throw new CairnError(
      'the patch belongs to another backbone: it goes with the very file that it was trained on, an .onnx rather than what was compiled of it'
    )
  return backbone.merged(patch)
}
