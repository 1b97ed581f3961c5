import { byId } from '../dom.js'
import { fromFile, type Source } from '../model/source.js'
import { showFailure } from '../views/status.js'
import { partOf, refusalOf, sorted, type Tell } from './files.js'
import { type Photo, photoFrom } from './photo.js'

/** What is done with files that were dropped, pasted or chosen. */
export interface Takers {
  readonly tell: Tell
  /** False where the model is not open in the end. */
  open(source: Source): Promise<boolean>
  /** The model, or the one that is open, with a head that was trained for it; false where it is not open in the end. */
  patch(file: File, source: Source | undefined): Promise<boolean>
  labels(file: File): Promise<void>
  photo(read: () => Promise<Photo>): Promise<void>
}

/** A head whose model has not been given. */
let waiting: File | undefined

/** A model whose weights are in files that have not been given, and why it could not be opened. */
let incomplete: { readonly source: Source; readonly patch: File | undefined; readonly why: string } | undefined

export async function receive(files: readonly File[], takers: Takers): Promise<void> {
  const { models, patches, labels, photos, others } = await sorted(files, takers.tell)
  const parts = others.map(partOf)
  const awaited = others.some(({ name }) => incomplete?.why.includes(`"${name}"`)) ? incomplete : undefined
  const [model] = models
  const patch = patches.at(0) ?? (model ? waiting : awaited?.patch)
  let source: Source | undefined
  if (model) source = fromFile(model.name.replace(/\.(onnx|cairn)$/i, ''), model, { parts })
  else if (awaited) source = { ...awaited.source, parts: [...(awaited.source.parts ?? []), ...parts] }
  if (source) incomplete = undefined
  if (source || patch) {
    const isOpen = patch ? await takers.patch(patch, source) : await takers.open(source!)
    waiting = source || isOpen ? undefined : patch
    if (source && !isOpen) incomplete = { source, patch, why: byId('failure-text').textContent ?? '' }
  }
  for (const file of labels) await takers.labels(file)
  for (const file of photos) await takers.photo(() => photoFrom(file, file.name))
  const [first, second] = models.length > 1 ? models : patches
  if (second)
    showFailure(
      new Error(
        `${models.length > 1 ? `${models.length} models` : `${patches.length} heads`} were given and ${first.name} was taken; one at a time is allowed`
      )
    )
  else if (others.length && !source) showFailure(await refusalOf(others[0], takers.tell))
}
