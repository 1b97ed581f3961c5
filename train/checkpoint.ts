import { CairnError } from '../runtime/base/index.js'
import { decodeBundle, encodeBundle } from '../runtime/train/index.js'
import type { EpochRecord, Standing } from './loop.js'

/** Where a training stood behind an epoch: going on from there gives the bits that it would have given. */
export interface Checkpoint extends Pick<Standing, 'epoch' | 'began' | 'trained' | 'history' | 'best'> {
  /** Of model, examples and settings: another training's checkpoint is refused. */
  readonly identity: string
  readonly states: ReadonlyMap<string, Float32Array>
}

interface Note {
  readonly identity: string
  readonly epoch: number
  readonly began: number
  readonly trained: number
  readonly history: readonly EpochRecord[]
  readonly best?: { readonly epoch: number; readonly loss: number; readonly accuracy: number }
}

const bestPrefix = 'best/'

export function encodeCheckpoint({ identity, epoch, began, trained, history, best, states }: Checkpoint): Uint8Array {
  const note: Note = {
    identity,
    epoch,
    began,
    trained,
    history,
    best: best && { epoch: best.epoch, loss: best.loss, accuracy: best.accuracy }
  }
  const tensor =
    (prefix: string) =>
    ([name, data]: readonly [string, Float32Array]) => ({
      name: prefix + name,
      shape: [data.length],
      data
    })
  const tensors = [...[...states].map(tensor('')), ...[...(best?.weights ?? [])].map(tensor(bestPrefix))]
  return encodeBundle({ kind: 'checkpoint', note: JSON.stringify(note), tensors })
}

/** Throws CairnError for what is no checkpoint of this training. */
export function decodeCheckpoint(bytes: Uint8Array, identity: string): Checkpoint {
  const { note, tensors } = decodeBundle(bytes, 'checkpoint')
  const { best, ...rest } = JSON.parse(note) as Note
  if (rest.identity !== identity)
    throw new CairnError('the checkpoint is of another training: model, images and options must be the same')
  const named = (wanted: boolean) =>
    new Map(
      tensors
        .filter(({ name }) => name.startsWith(bestPrefix) === wanted)
        .map(({ name, data }) => [wanted ? name.slice(bestPrefix.length) : name, data] as const)
    )
  return {
    ...rest,
    history: [...rest.history],
    best: best && { ...best, weights: named(true) },
    states: named(false)
  }
}
