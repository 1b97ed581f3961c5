import { compile, type QuantiseReport } from 'cairnjs/compiler'
import { zoo } from '../../models/index.js'
import { pictureFrom } from '../photo/photo.js'
import { prepare } from '../photo/prepare.js'
import { externalDataFrom } from './parts.js'
import type { Progress, Quantised, Quantising } from './protocol.js'

/** Runs of the model that quantising takes for each photo, about: what the bar counts. */
const rounds = 8

/** The worker's part of quantising: the model on bytes, by ranges that the photos give, and what that costs. */
export async function quantisedFile(
  { name, from, parts, photos, port, preparation }: Quantising,
  progress: (progress: Progress) => void
): Promise<Pick<Quantised, 'error' | 'layers' | 'narrow' | 'notes'> & { readonly file: Uint8Array }> {
  const calibrate = []
  for (const { content, name } of photos)
    calibrate.push({ [port.name]: prepare(await pictureFrom(content, name), port, preparation).tensor })
  const total = photos.length * rounds
  const notes: string[] = []
  let report: QuantiseReport | undefined
  let runs = 0
  const file = await compile(from instanceof Uint8Array ? from : zoo[from.zoo].build(), {
    ...{ weights: 'int8', calibrate, externalData: externalDataFrom(name, parts) },
    onNote: note => notes.push(note),
    onRun: what => progress({ done: Math.min(++runs, total), total, what }),
    onReport: made => {
      report = made
    }
  })
  const { layers, error } = report!
  return { file, error, layers: layers.length, narrow: layers.filter(({ kept }) => !kept).length, notes }
}
