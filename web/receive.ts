import { byId } from './dom.js'
import { partOf, refusalOf, sorted } from './files.js'
import { type Photo, photoFrom } from './photo.js'
import { fromFile, type Source } from './source.js'
import { showFailure } from './views/status.js'

/** What is done with files that were dropped, pasted or chosen. */
export interface Takers {
  /** False where the model is not open in the end. */
  open(source: Source): Promise<boolean>
  labels(file: File): Promise<void>
  photo(read: () => Promise<Photo>): Promise<void>
}

/** A model whose weights are in files that have not been given, and why it could not be opened. */
let incomplete: { readonly source: Source; readonly why: string } | undefined

export async function receive(files: readonly File[], takers: Takers): Promise<void> {
  const { models, labels, photos, others } = sorted(files)
  const parts = others.map(partOf)
  const awaited = others.some(({ name }) => incomplete?.why.includes(`"${name}"`)) ? incomplete : undefined
  const [model] = models
  let source: Source | undefined
  if (model) source = fromFile(model.name.replace(/\.(onnx|cairn)$/i, ''), model, { parts })
  else if (awaited) source = { ...awaited.source, parts: [...(awaited.source.parts ?? []), ...parts] }
  if (source) {
    incomplete = undefined
    if (!(await takers.open(source))) incomplete = { source, why: byId('failure-text').textContent ?? '' }
  }
  for (const file of labels) await takers.labels(file)
  for (const file of photos) await takers.photo(() => photoFrom(file, file.name))
  if (models.length > 1)
    showFailure(new Error(`${models.length} models were given and ${model.name} was taken; one at a time is allowed`))
  else if (others.length && !source) showFailure(refusalOf(others[0]))
}
