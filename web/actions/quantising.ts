import { byId } from '../dom.js'
import type { Job, Progress } from '../engine/protocol.js'
import { fetchBytes } from '../model/catalogue.js'
import type { Photo } from '../photo/photo.js'
import { type Candidate, Quantisation } from '../views/quantise.js'
import { nameOfUrl } from '../views/start.js'
import { doing } from '../views/status.js'
import type { Model } from './opening.js'

/** What is open, as far as quantising it goes. */
export interface Quantisable {
  model(): Model | undefined
  photo(): Photo | undefined
  job(): Job | undefined
  threads(): number
  /** Addresses of sample photos. */
  samples(): readonly string[]
  /** Opens a compiled model in the place of the one that is open. */
  use(name: string, content: Blob): void
}

export function startQuantising(open: Quantisable): void {
  const quantisation = new Quantisation()
  byId<HTMLFormElement>('quantise-form').onsubmit = event => {
    event.preventDefault()
    void doing('Quantising', async progress => {
      await quantisation.run(await candidateOf(open, progress), open.use, progress)
    })
  }
  byId('quantise-stop').onclick = () => quantisation.stop()
}

/** The open model, with the photos that were chosen to calibrate with, or the one in sight and the samples. */
async function candidateOf(open: Quantisable, progress: (progress: Progress) => void): Promise<Candidate> {
  const [model, job] = [open.model(), open.job()]
  if (!model?.port || !job)
    throw new Error('there is nothing to quantise yet: a model that takes photos, and a photo, are needed')
  const { opened, source, port, preparation } = model
  if (!opened.passes) throw new Error('a compiled model cannot be quantised; open the .onnx file that it was made of')
  const given = [...(byId<HTMLInputElement>('quantise-photos').files ?? [])]
  const chosen = given.map(file => ({ content: file, name: file.name }))
  return {
    ...{ name: opened.name, from: await source.read(progress), parts: source.parts, port, preparation, job },
    photos: chosen.length ? chosen : await photosAtHand(open, progress),
    floats: opened.bytes,
    threads: open.threads()
  }
}

async function photosAtHand(open: Quantisable, progress: (progress: Progress) => void): Promise<Candidate['photos']> {
  const photo = open.photo()
  const shown = photo && (await new Promise<Blob | null>(resolve => photo.canvas.toBlob(resolve)))
  const photos = shown ? [{ content: shown, name: photo.name }] : []
  for (const url of open.samples()) {
    const name = nameOfUrl(url)
    photos.push({
      content: new Blob([await fetchBytes(url, (done, total) => progress({ done, total, what: name }))]),
      name
    })
  }
  return photos
}
