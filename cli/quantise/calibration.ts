import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { importOnnx, kindOf } from '../../compiler/onnx/index.js'
import { type Feed, spread } from '../../compiler/quantise/index.js'
import type { Port } from '../../runtime/file/index.js'
import { type Picture, resize } from '../../runtime/tensor/index.js'
import { about, describePort, importOf, type ModelFile, readNpy, toNumbers } from '../model/index.js'
import {
  beginningOf,
  imagePort,
  imageTensor,
  leavesSize,
  type Preparation,
  pictureReader,
  readPicture,
  refusalOf
} from '../pictures/index.js'
import { InputError, oneLine, UsageError } from '../terminal/index.js'
import { LeftOut, trainingPart } from '../train/index.js'

/** Calibration data, and what is to be told of it. */
export interface Calibration {
  readonly feeds: readonly Feed[] | number
  /** In words. */
  readonly what: string
  readonly notes: readonly string[]
}

/** Pictures that are calibrated with at most, and of any size; more say little more. */
const mostPictures = 200
const mostOfAnySize = 24
/** Pixels of a side where pictures decide how large the input is. */
const largestSide = 512
/** Elements of all of them: half a GiB. */
const mostElements = 2 ** 27

/** A folder or a file that is there, else a number of scenes. Throws UsageError for a number of which there can be none. */
export function sourceOf(given: string): 'folder' | 'picture' | 'batch' | 'scenes' {
  const stat = statSync(given, { throwIfNoEntry: false })
  if (stat?.isDirectory()) return 'folder'
  if (stat) return /\.npy$/i.test(given) || kindOf(beginningOf(given))?.name === 'npy' ? 'batch' : 'picture'
  const number = given.trim() === '' ? Number.NaN : Number(given)
  if (Number.isNaN(number))
    throw new InputError(
      `--calibrate ${given}: no such folder or file; a folder of pictures, a picture, a .npy or a number of scenes is allowed`
    )
  if (!Number.isSafeInteger(number) || number < 1)
    throw new UsageError(`--calibrate ${given}: a whole number from 1 is allowed, or a folder of pictures`)
  return 'scenes'
}

/** What `--calibrate` names: pictures, made as `cairn run` makes them, a .npy of a batch, or a number of scenes. */
export async function calibrationOf(
  model: ModelFile,
  given: string,
  prepare: Preparation,
  onRead: (done: number, total: number) => void
): Promise<Calibration> {
  const source = sourceOf(given)
  if (source === 'scenes')
    return { feeds: Number(given), what: `${given} drawn ${Number(given) === 1 ? 'scene' : 'scenes'}`, notes: [] }
  const { inputs } = await about(model.path, () => importOnnx(model.bytes, importOf(model)))
  const ports = inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape, storage: 0, offset: 0 }))
  if (ports.length > 1)
    throw new InputError(
      `--calibrate ${given}: the model takes ${ports.map(describePort).join(', ')}, ${source === 'batch' ? 'a .npy is' : 'pictures are'} one; a number of scenes is allowed`
    )
  if (source === 'batch') return batchOf(ports[0], given)
  const asking = { flag: `--calibrate ${given}`, instead: 'a .npy or a number of scenes is allowed' }
  const port = imagePort({ inputs: ports }, prepare.layout, asking)
  if (source === 'folder') return picturesOf(port, given, prepare, onRead)
  const read = await pictureReader([given])
  return { feeds: [{ [port.name]: tensorOf(read(given), port, prepare) }], what: `the picture ${given}`, notes: [] }
}

async function picturesOf(
  port: Port,
  given: string,
  prepare: Preparation,
  onRead: (done: number, total: number) => void
): Promise<Calibration> {
  const folder = trainingPart(given) ?? given
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .filter(name => !/(^|[\\/])\./.test(name))
    .map(name => join(folder, name))
    .filter(path => statSync(path, { throwIfNoEntry: false })?.isFile())
  const leftOut = new LeftOut(folder)
  const pictures: string[] = []
  for (const path of files) {
    const refusal = await refusalOf(path)
    if (refusal === undefined) pictures.push(path)
    else leftOut.add(refusal, path)
  }
  const isFree = leavesSize(port, prepare)
  const chosen = spread(pictures, pictures.length, isFree ? mostOfAnySize : mostPictures)
  const feeds: Feed[] = []
  let elements = 0
  for (const [index, path] of chosen.entries()) {
    let picture: Picture
    try {
      picture = readPicture(path)
    } catch (error) {
      leftOut.add(oneLine(error).replace(`${path}: `, ''), path)
      continue
    }
    const tensor = tensorOf(picture, port, prepare)
    elements += tensor.data.length
    if (elements > mostElements && feeds.length) break
    feeds.push({ [port.name]: tensor })
    onRead(index + 1, chosen.length)
  }
  if (!feeds.length)
    throw new InputError(
      `--calibrate ${folder}: no pictures in it${leftOut.count ? `; it has ${leftOut.summary()}` : ''}`
    )
  const notes = leftOut.lines().map(line => `left out of ${folder}: ${line}`)
  if (feeds.length < pictures.length) notes.push(`${feeds.length} of ${pictures.length} pictures are calibrated with`)
  if (folder !== given) notes.push(`calibrated with ${folder}; what else is in ${given} is left for validation`)
  if (isFree)
    notes.push(`sizes are free: pictures are calibrated with at up to ${largestSide} pixels a side (--size HxW is one)`)
  return { feeds, what: `${feeds.length} ${feeds.length === 1 ? 'picture' : 'pictures'} of ${folder}`, notes }
}

/** As `cairn run` makes it, but no larger than calibration has use for. */
function tensorOf(picture: Picture, port: Port, prepare: Preparation) {
  const { width, height } = picture
  const scale = leavesSize(port, prepare) ? Math.min(largestSide / Math.max(width, height), 1) : 1
  const small = (side: number) => Math.max(1, Math.round(side * scale))
  return imageTensor(scale < 1 ? resize(picture, small(width), small(height)) : picture, port, prepare)
}

/** Examples along the first axis, each as many as the model takes at once. */
function batchOf(port: Port, path: string): Calibration {
  const array = readNpy(path)
  const { dims } = array
  const data = toNumbers(array)
  const [batch] = port.shape
  const step = typeof batch === 'number' ? batch : 1
  const rest = dims.slice(1)
  const fits = dims.length === port.shape.length && rest.every((size, i) => fitsIn(port.shape[i + 1], size))
  if (!fits || dims[0] < step)
    throw new InputError(
      `--calibrate ${path}: its shape is [${dims.join('×')}]; examples for ${describePort(port)} are allowed, one behind the other`
    )
  const size = step * rest.reduce((a, b) => a * b, 1)
  const feeds = Array.from({ length: Math.floor(dims[0] / step) }, (_, i) => ({
    [port.name]: { dims: [step, ...rest], data: Float32Array.from(data.subarray(i * size, (i + 1) * size)) }
  }))
  return { feeds, what: `${feeds.length * step} examples of ${path}`, notes: [] }
}

const fitsIn = (wanted: unknown, size: number) => typeof wanted !== 'number' || wanted === size
