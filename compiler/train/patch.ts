import { CairnError } from '../../runtime/backend.js'
import { digest } from '../../runtime/digest.js'
import { decodeBundle, encodeBundle, type NamedTensor } from '../../runtime/train/bundle.js'
import type { ImportOptions } from '../onnx.js'
import { writeHead } from '../onnx-write.js'
import { type Cut, headBias, headWeights, openGraph } from './network.js'

/** What training has changed of a network: a new head, and the tensors of the blocks that were trained with it. */
export interface Patch {
  /** Digest of the model that it was trained on. */
  readonly backbone: number
  readonly cut: Cut
  readonly classes: readonly string[]
  readonly tensors: readonly NamedTensor[]
}

export function encodePatch(
  model: Uint8Array,
  cut: Cut,
  classes: readonly string[],
  tensors: readonly NamedTensor[]
): Uint8Array {
  return encodeBundle({ kind: 'patch', note: JSON.stringify({ backbone: digest(model), cut, classes }), tensors })
}

/** Throws CairnError for bytes that are no patch. */
export function decodePatch(bytes: Uint8Array): Patch {
  const { note, tensors } = decodeBundle(bytes, 'patch')
  return { ...(JSON.parse(note) as Omit<Patch, 'tensors'>), tensors }
}

/** As `decodePatch`, and throws CairnError where the model is not the one that the patch was trained on. */
export function patchFor(model: Uint8Array, bytes: Uint8Array): Patch {
  const patch = decodePatch(bytes)
  if (patch.backbone !== digest(model))
    throw new CairnError('the patch belongs to another backbone: it was trained on a model with another digest')
  return patch
}

/**
 * The model with a patch's head and tensors, as ONNX bytes that any runtime takes: outputs `probabilities` and `logits`,
 * [N, classes]. Throws CairnError for a patch of another model.
 */
export function applyPatch(model: Uint8Array, bytes: Uint8Array, options: ImportOptions = {}): Uint8Array {
  const { cut, classes, tensors } = patchFor(model, bytes)
  const graph = openGraph(model, options)
  const { shape } = [...graph.values].find(({ name }) => name === cut.features)!
  return writeHead(model, {
    features: cut.features,
    spatial: shape.length - 2,
    weight: headWeights,
    bias: headBias,
    classes,
    tensors,
    externalData: options.externalData
  })
}
