import type { Kind, Part } from '../engine/protocol.js'

/** Files as they were dropped or chosen, by what they are for. */
export interface Sorted {
  readonly models: readonly File[]
  /** Heads that were trained for a model. */
  readonly patches: readonly File[]
  readonly labels: readonly File[]
  readonly photos: readonly File[]
  /** What may hold a model's weights, and what is nothing that the page reads. */
  readonly others: readonly File[]
}

const isPhoto = /\.(jpe?g|jfif|png|webp|bmp|gif|avif|ico|svg|heic|heif|tiff?)$/i
const pictures = ['jpeg', 'png', 'gif', 'webp', 'avif', 'heic', 'tiff', 'bmp', 'ico', 'svg']

/** Tells what a file is by its first bytes. */
export type Tell = (head: Uint8Array) => Promise<Kind | undefined>

/** By their names, and where these say nothing by what is in them. */
export async function sorted(files: readonly File[], tell: Tell): Promise<Sorted> {
  const uses = await Promise.all(files.map(file => useOf(file, tell)))
  const of = (use: keyof Sorted) => files.filter((_, i) => uses[i] === use)
  return {
    ...{ models: of('models'), patches: of('patches'), labels: of('labels') },
    ...{ photos: of('photos'), others: of('others') }
  }
}

async function useOf(file: File, tell: Tell): Promise<keyof Sorted> {
  const { name, type } = file
  if (/\.(onnx|cairn)$/i.test(name)) return 'models'
  if (/\.txt$/i.test(name) || type === 'text/plain') return 'labels'
  if (type.startsWith('image/') || isPhoto.test(name)) return 'photos'
  const kind = (await kindIn(file, tell))?.name
  if (kind === 'cairn') return 'models'
  if (kind === 'patch') return 'patches'
  return kind && pictures.includes(kind) ? 'photos' : 'others'
}

/** A file that cannot be read is of no kind. */
async function kindIn(file: File, tell: Tell): Promise<Kind | undefined> {
  const head = await file
    .slice(0, 512)
    .arrayBuffer()
    .catch(() => undefined)
  return head && tell(new Uint8Array(head))
}

export const partOf = (file: File): Part => ({ name: file.name, content: file })

/** What files are by their names alone, and what can be made of them. */
const strangers: readonly [RegExp, string][] = [
  [/\.(onnx[._])?(data|weights?)$|\.onnx_data(_\d+)?$/i, 'weights of an .onnx model; drop both together'],
  [/\.(caffemodel|prototxt)$/i, 'a Caffe model; export the model to .onnx'],
  [/\.(engine|plan|trt)$/i, 'a TensorRT engine, made for one GPU; take the .onnx that it was built from'],
  [/\.(ckpt|pt2)$/i, 'a checkpoint of a training; export the model to .onnx']
]

/** Why a file cannot be taken, in a line. */
export async function refusalOf(file: File, tell: Tell): Promise<Error> {
  const { name } = file
  const what = strangers.find(([pattern]) => pattern.test(name))?.[1] ?? (await kindIn(file, tell))?.what
  const allowed = 'models (.onnx, .cairn), heads (.patch), photos and labels (.txt) are allowed'
  return new Error(what ? `${name}: this is ${what}; ${allowed}` : `${name}: nothing that this page reads; ${allowed}`)
}

/** All files that were dropped, those in folders too. */
export async function filesOf({ items, files }: DataTransfer): Promise<File[]> {
  const entries = [...items].map(item => item.webkitGetAsEntry?.() ?? undefined)
  if (!entries.some(entry => entry?.isDirectory)) return [...files]
  return (await Promise.all(entries.map(entry => entry && filesIn(entry)))).flatMap(found => found ?? [])
}

async function filesIn(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile)
    return [await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))]
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  const all: File[] = []
  // A reader gives a hundred at a time.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (!some.length) return all
    for (const each of some) if (!each.name.startsWith('.')) all.push(...(await filesIn(each)))
  }
}
