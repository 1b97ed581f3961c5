import type { Picture } from '../../runtime/tensor/index.js'
import { readNpy, toNumbers } from '../model/index.js'
import { InputError } from '../terminal/index.js'
import type { Pictures } from './dataset.js'

/** The two arrays of `--data inputs.npy,labels.npy`; undefined where `path` names something else. */
export function arraysIn(path: string): readonly [string, string] | undefined {
  const parts = path.split(',')
  const areArrays = parts.every(part => /\.npy$/i.test(part))
  if (parts.length === 2 && areArrays) return [parts[0], parts[1]]
  if (areArrays) throw new InputError(`--data ${path}: two arrays, as inputs.npy,labels.npy, are allowed`)
  return undefined
}

/**
 * Labelled examples of NumPy's arrays: bytes as pictures [N, H, W], [N, H, W, 3] or [N, 3, H, W], which are prepared as pictures of
 * files are, or floats [N, ...], which are the model's inputs as they are; labels are whole numbers from 0 [N], also as [N, 1].
 */
export function picturesOf(inputs: string, labelled: string): Pictures {
  const [examples, answers] = [readNpy(inputs), readNpy(labelled)]
  const [count, ...shape] = examples.dims
  const labels = Array.from(toNumbers(answers))
  if (answers.dims[0] !== count || labels.length !== count)
    throw new InputError(
      `${labelled} has shape [${answers.dims.join('×')}]; [${count}], a label for each of ${inputs}, is allowed`
    )
  const wrong = labels.find(label => !(Number.isInteger(label) && label >= 0 && label < mostClasses))
  if (wrong !== undefined) throw new InputError(`${labelled} has a label ${wrong}; whole numbers from 0 are allowed`)
  const classes = Array.from({ length: labels.reduce((a, b) => Math.max(a, b), 0) + 1 }, (_, label) => String(label))
  if (classes.length < 2) throw new InputError(`${labelled} has only one class; at least two are needed`)
  const names = labels.map((_, i) => `${inputs} ${i}`)
  const common = { classes, labels, names, validation: undefined }
  const size = shape.reduce((a, b) => a * b, 1)
  if (examples.type === 'uint8') {
    const layout = layoutOf(inputs, examples.dims)
    const data = examples.data as Uint8Array
    return { ...common, read: index => pictureOf(data.subarray(index * size, (index + 1) * size), layout) }
  }
  if (!examples.type.startsWith('float') || shape.length < 1)
    throw new InputError(
      `${inputs} has ${examples.type} [${examples.dims.join('×')}]; uint8 pictures and floats are allowed`
    )
  const floats = examples.type === 'float32' ? (examples.data as Float32Array) : Float32Array.from(toNumbers(examples))
  const example = (index: number) => floats.subarray(index * size, (index + 1) * size)
  return { ...common, shape, tensor: example, read: index => shown(example(index), shape) }
}

/** Labels are numbers of outputs: what has more is something else. */
const mostClasses = 2 ** 20

interface Layout {
  readonly height: number
  readonly width: number
  readonly channels: number
  /** Whether each channel lies in one piece. */
  readonly isPlanar: boolean
}

function layoutOf(path: string, dims: readonly number[]): Layout {
  const [, a, b, c] = dims
  if (dims.length === 3) return { height: a, width: b, channels: 1, isPlanar: false }
  if (dims.length === 4 && (c === 1 || c === 3)) return { height: a, width: b, channels: c, isPlanar: false }
  if (dims.length === 4 && (a === 1 || a === 3)) return { height: b, width: c, channels: a, isPlanar: true }
  throw new InputError(`${path} has shape [${dims.join('×')}]; pictures [N×H×W], [N×H×W×3] and [N×3×H×W] are allowed`)
}

function pictureOf(bytes: ArrayLike<number>, { height, width, channels, isPlanar }: Layout): Picture {
  const area = height * width
  const data = Uint8Array.from({ length: area * 3 }, (_, i) => {
    const [at, channel] = [Math.floor(i / 3), channels === 1 ? 0 : i % 3]
    return bytes[isPlanar ? channel * area + at : at * channels + channel]
  })
  return { data, width, height }
}

/** Floats as a picture to look at: from the least to the largest, the first channel or three. */
function shown(example: Float32Array, shape: readonly number[]): Picture {
  const [channels, height, width] = [1, 1, 1, ...shape].slice(-3)
  const planes = channels >= 3 ? 3 : 1
  const part = example.subarray(0, planes * height * width)
  const [least, largest] = part.reduce(([low, high], x) => [Math.min(low, x), Math.max(high, x)], [Infinity, -Infinity])
  const bytes = part.map(value => (255 * (value - least)) / (largest - least || 1))
  return pictureOf(bytes, { height, width, channels: planes, isPlanar: true })
}
