import type { Part } from './protocol.js'

/** Files as they were dropped or chosen, by what they are for. */
export interface Sorted {
  readonly models: readonly File[]
  readonly labels: readonly File[]
  readonly photos: readonly File[]
  /** What may hold a model's weights, and what is nothing that the page reads. */
  readonly others: readonly File[]
}

const isPhoto = /\.(jpe?g|jfif|png|webp|bmp|gif|avif|ico|svg|heic|heif|tiff?)$/i

export function sorted(files: readonly File[]): Sorted {
  const kinds = { models: [] as File[], labels: [] as File[], photos: [] as File[], others: [] as File[] }
  for (const file of files) kinds[kindOf(file)].push(file)
  return kinds
}

function kindOf({ name, type }: File): keyof Sorted {
  if (/\.(onnx|cairn)$/i.test(name)) return 'models'
  if (/\.txt$/i.test(name) || type === 'text/plain') return 'labels'
  return type.startsWith('image/') || isPhoto.test(name) ? 'photos' : 'others'
}

export const partOf = (file: File): Part => ({ name: file.name, content: file })

/** What files are that the page does not read, and what can be made of them. */
const strangers: readonly [RegExp, string][] = [
  [/\.pdf$/i, 'a PDF document'],
  [/\.(pt|pth|ckpt|pt2)$/i, 'a PyTorch file; torch.onnx.export makes an .onnx of its model'],
  [/\.safetensors$/i, 'weights without a network (safetensors); export the model to .onnx'],
  [/\.tflite$/i, 'a TensorFlow Lite model; tf2onnx makes an .onnx of it'],
  [/\.(pb|h5|hdf5|keras)$/i, 'a TensorFlow or Keras model; tf2onnx makes an .onnx of it'],
  [/\.(mlmodel|mlpackage)$/i, 'a Core ML model; export the model to .onnx'],
  [/\.(engine|plan|trt)$/i, 'a TensorRT engine, made for one GPU; take the .onnx that it was built from'],
  [/\.ort$/i, "a model in onnxruntime's own format; take the .onnx that it was made from"],
  [/\.(caffemodel|prototxt|param)$/i, 'a Caffe or ncnn model; export the model to .onnx'],
  [/\.json$/i, 'JSON'],
  [/\.(zip|gz|tgz|tar|7z|rar|xz|zst)$/i, 'an archive; unpack it and drop what is in it'],
  [/\.(mp4|mov|webm|mkv|avi)$/i, 'a video; drop a single picture of it'],
  [/\.(onnx[._])?(data|weights?)$|\.onnx_data(_\d+)?$/i, 'weights of an .onnx model; drop both together']
]

/** Why a file cannot be taken, in a line. */
export function refusalOf({ name }: File): Error {
  const what = strangers.find(([pattern]) => pattern.test(name))?.[1]
  const allowed = 'models (.onnx, .cairn), photos and labels (.txt) are allowed'
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
