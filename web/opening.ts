import { fetchLabels } from './catalogue.js'
import type { Engine } from './engine.js'
import { type Guess, guess } from './guess.js'
import { fetchNames } from './label-sets.js'
import type { Known } from './meaning.js'
import { type Preparation, picturePort } from './prepare.js'
import type { Given, Loaded, Opened, Progress } from './protocol.js'
import type { Source } from './source.js'
import { chosenDevice, chosenThreads } from './views/device.js'

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
  source: Source,
  { engine, offered, kept, weights }: Means,
  progress: (progress: Progress) => void,
  signal: AbortSignal
): Promise<{ model: Model; loaded: Loaded }> {
  const { name, parts, entry } = source
  const from = await source.read(progress, signal)
  signal.throwIfAborted()
  const opened = await engine.ask('open', { name, from, weights, parts }, progress)
  const lists = await fetchLabels([...new Set([...(entry?.labels ?? []), ...offered])])
  // Without names its classes have numbers.
  await fetchNames(opened.model.outputs.map(({ shape }) => shape)).catch(() => undefined)
  signal.throwIfAborted()
  const guessed = source.trained
    ? { preparation: source.trained.preparation, why: 'as it was trained' }
    : guess([name, opened.model.name], opened.model, entry?.preprocess)
  const port = picturePort(opened.model.inputs)
  const preparation = kept ?? guessed.preparation
  const untrained = !(from instanceof Uint8Array)
  const labels = [...(opened.classes ? [opened.classes] : []), ...lists]
  progress({ done: 1, total: 1, what: 'loading' })
  const loaded = await engine.ask('load', wantedFor(opened))
  const own = { ...source, parts: parts?.filter(part => opened.parts.includes(part.name)) }
  const insisted = new Set<string>()
  const model: Model = { source: own, opened, untrained, labels, port, guess: guessed, preparation, insisted }
  return { model, loaded }
}

export const wantedFor = (opened: Opened) => ({ id: opened.id, device: chosenDevice(), threads: chosenThreads(opened) })
