import { type ImportOptions, kindOf } from '../compiler/onnx/index.js'
import { CairnError } from '../runtime/base/index.js'
import { decodeBundle, encodeBundle, type NamedTensor } from '../runtime/train/index.js'
import { type Cut, headBias, headWeights } from './network/network.js'
import { type ImagePreparation, isPreparation } from './preparation.js'
import type { Use } from './step.js'

/** What training has changed of a network: a new head, and the tensors of the blocks that were trained with it. */
export interface Patch {
  /** Digest of the model that it was trained on. */
  readonly backbone: number
  /** Where the network was cut. */
  readonly cut: Cut
  /** Names of the classes, in the order of the outputs. */
  readonly classes: readonly string[]
  /** Sizes that it was trained at, where the model leaves them free. */
  readonly shapes?: ImportOptions['shapes']
  /** How the images that it was trained on became inputs, where that was told. */
  readonly preparation?: ImagePreparation
  /** The head, and the parameters of blocks that were trained. */
  readonly tensors: readonly TrainedTensor[]
}

/** With the nodes of the model that read it, and as which input. */
export interface TrainedTensor extends NamedTensor {
  readonly uses: readonly Use[]
}

export function encodePatch({ tensors, ...rest }: Patch): Uint8Array {
  const uses = Object.fromEntries(tensors.map(tensor => [tensor.name, tensor.uses]))
  return encodeBundle({ kind: 'patch', note: JSON.stringify({ ...rest, uses }), tensors })
}

/** Throws CairnError for bytes that are no patch. */
export function decodePatch(bytes: Uint8Array): Patch {
  const other = kindOf(bytes)
  if (other && other.name !== 'patch') throw new CairnError(`not a patch but ${other.what}`)
  const { note, tensors } = decodeBundle(bytes, 'patch')
  const { uses, ...rest } = readNote(note)
  const head = (name: string, ...shape: number[]) => {
    const found = tensors.find(tensor => tensor.name === name)?.shape
    if (found?.slice(0, shape.length).join() !== shape.join() || found.length !== headRanks[name])
      throw new CairnError(`the patch has no tensor "${name}" for ${rest.classes.length} classes`)
  }
  head(headWeights, rest.classes.length)
  head(headBias, rest.classes.length)
  const usesOf = (name: string) => (Object.hasOwn(uses, name) ? uses[name] : [])
  return { ...rest, tensors: tensors.map(tensor => ({ ...tensor, uses: usesOf(tensor.name) })) }
}

const headRanks: Readonly<Record<string, number>> = { [headWeights]: 2, [headBias]: 1 }

type Note = Omit<Patch, 'tensors'> & { readonly uses: Readonly<Record<string, readonly Use[]>> }

/** Throws CairnError unless it says what a note says. */
function readNote(text: string): Note {
  try {
    const note = JSON.parse(text) as Note
    const { backbone, cut, classes, shapes = {}, preparation, uses } = note
    const right =
      isWhole(backbone) &&
      [cut.features, cut.boundary].every(isText) &&
      [cut.blocks, cut.trained].every(isWhole) &&
      typeof cut.pooled === 'boolean' &&
      isListOf(classes, isText) &&
      Object.values(shapes).every(shape => isListOf(shape, isWhole)) &&
      (preparation === undefined || isPreparation(preparation)) &&
      Object.values(uses).every(list => isListOf(list, ({ node, input }) => isText(node) && isWhole(input)))
    if (right) return note
  } catch {
    // What is missing altogether is as wrong as what is of another type.
  }
  throw new CairnError('not a patch: its note does not say what a note says')
}

const isText = (value: unknown) => typeof value === 'string'
const isWhole = (value: unknown) => Number.isSafeInteger(value)
const isListOf = <T>(list: readonly T[], holds: (value: T) => boolean) => Array.isArray(list) && list.every(holds)
