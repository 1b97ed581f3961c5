import type { Engine } from '../engine/engine.js'
import type { Given, Loaded, Opened, Patched, Progress } from '../engine/protocol.js'
import { fetchLabels } from '../model/catalogue.js'
import { type Guess, guess } from '../model/guess.js'
import { fetchNames } from '../model/label-sets.js'
import type { Known } from '../model/meaning.js'
import { fromFile, type Source } from '../model/source.js'
import { preparationFrom } from '../photo/patch-preparation.js'
import { type PicturePort, type Preparation, picturePort } from '../photo/prepare.js'
import { chosenDevice, chosenThreads } from '../views/model/device.js'

/** A model as the page has it: compiled, with what is known or guessed of it. */
export interface Model extends Known {
  readonly source: Source
  readonly guess: Guess
  preparation: Preparation
}

/** What a model is opened with. */
interface Means {
  readonly engine: Engine
  /** Lists of labels that the server has for any model. */
  readonly offered: readonly string[]
  /** How photos were prepared for it when it was open before. */
  readonly kept: Preparation | undefined
  readonly weights: Given['weights']
}

/** The model as the page has it, once it is loaded; what is open by then stays so if `signal` says that another is wanted. */
export async function ready(
  asked: Source,
  { engine, offered, kept, weights }: Means,
  progress: (progress: Progress) => void,
  signal: AbortSignal
): Promise<{ model: Model; loaded: Loaded }> {
  const { name, parts, entry } = asked
  const given = await asked.read(progress, signal)
  signal.throwIfAborted()
  const patched = asked.patch && (await engine.ask('withPatch', await patchingOf(asked, given), progress))
  const from = patched?.content ?? given
  const opened = await engine.ask('open', { name, from, weights, parts }, progress)
  const lists = await fetchLabels([...new Set([...(entry?.labels ?? []), ...offered])])
  // Without names its classes have numbers.
  await fetchNames(opened.model.outputs.map(({ shape }) => shape)).catch(() => undefined)
  signal.throwIfAborted()
  const port = picturePort(opened.model.inputs)
  const source = patched ? fromFile(name, new Blob([patched.content]), taughtBy(asked, patched, port)) : asked
  const guessed = guessFor(source, opened)
  const labels = [source.trained?.classes, opened.classes, ...lists].filter(list => list !== undefined)
  progress({ done: 1, total: 1, what: 'loading' })
  const loaded = await engine.ask('load', wantedFor(opened))
  const model: Model = {
    ...{ opened, labels, port, guess: guessed, insisted: new Set() },
    source: { ...source, parts: parts?.filter(part => opened.parts.includes(part.name)) },
    untrained: !(from instanceof Uint8Array),
    preparation: kept ?? guessed.preparation
  }
  return { model, loaded }
}

async function patchingOf({ name, parts, patch }: Source, from: Given['from']) {
  return { name, from, parts, patch: new Uint8Array(await patch!.arrayBuffer()) }
}

/** What a patch says of the model that it is in. */
function taughtBy({ key, parts, trained }: Source, { classes, preparation }: Patched, port: PicturePort | undefined) {
  const told = preparation && port && { preparation: preparationFrom(preparation, port), why: 'as the patch says' }
  return { key, parts, trained: { ...trained, ...told, classes } }
}

function guessFor({ name, entry, trained }: Source, { model }: Opened): Guess {
  const { preparation, why = 'as it was trained' } = trained ?? {}
  return preparation ? { preparation, why } : guess([name, model.name], model, entry?.preprocess)
}

export const wantedFor = (opened: Opened) => ({ id: opened.id, device: chosenDevice(), threads: chosenThreads(opened) })
