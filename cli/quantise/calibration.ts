import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { importOnnx } from '../../compiler/onnx/index.js'
import { type Feed, spread } from '../../compiler/quantise/index.js'
import type { Port } from '../../runtime/file/index.js'
import { about, describePort, externalDataOf, type ModelFile, readNpy, toNumbers } from '../model/index.js'
import { imagePort, imageTensor, type Preparation, pictureReader, refusalOf } from '../pictures/index.js'
import { InputError } from '../terminal/index.js'

/** Calibration data, and what is to be told of it. */
export interface Calibration {
  readonly feeds: readonly Feed[] | number
  /** In words. */
  readonly what: string
  readonly notes: readonly string[]
}

/** Pictures that are calibrated with at most; more say little more. */
const mostPictures = 200
/** Elements of all of them: half a GiB. */
const mostElements = 2 ** 27

/** What `--calibrate` names: a folder of pictures, made as `cairn run` makes them, a .npy of a batch, or a number of scenes. */
export async function calibrationOf(model: ModelFile, given: string, prepare: Preparation): Promise<Calibration> {
  const stat = statSync(given, { throwIfNoEntry: false })
  if (!stat) {
    if (!/^\d+$/.test(given) || Number(given) === 0)
      throw new InputError(
        `--calibrate ${given}: no such folder or file; a folder of pictures, a .npy or a number of scenes is allowed`
      )
    return { feeds: Number(given), what: `${given} drawn scenes`, notes: [] }
  }
  const { inputs } = await about(model.path, () =>
    importOnnx(model.bytes, { externalData: externalDataOf(model.path), shapes: model.shapes })
  )
  const ports = inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape, storage: 0, offset: 0 }))
  return stat.isDirectory() ? picturesOf(ports, given, prepare) : batchOf(ports, given)
}

async function picturesOf(inputs: readonly Port[], folder: string, prepare: Preparation): Promise<Calibration> {
  const port = imagePort({ inputs: [...inputs] }, prepare.layout)
  if (inputs.length > 1)
    throw new InputError(
      `--calibrate ${folder}: the model takes ${inputs.map(describePort).join(', ')}, pictures are one; a number of scenes is allowed`
    )
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map(name => join(folder, name))
    .filter(path => statSync(path).isFile())
  const pictures: string[] = []
  for (const path of files) if ((await refusalOf(path)) === undefined) pictures.push(path)
  if (!pictures.length) throw new InputError(`--calibrate ${folder}: no pictures in it`)
  const chosen = spread(pictures, pictures.length, mostPictures)
  const read = await pictureReader(chosen)
  const feeds: Feed[] = []
  let elements = 0
  for (const path of chosen) {
    const tensor = imageTensor(read(path), port, prepare)
    elements += tensor.data.length
    if (elements > mostElements && feeds.length) break
    feeds.push({ [port.name]: tensor })
  }
  const notes =
    feeds.length < pictures.length ? [`${feeds.length} of ${pictures.length} pictures are calibrated with`] : []
  return { feeds, what: `${feeds.length} pictures of ${folder}`, notes }
}

/** Examples along the first axis, each as many as the model takes at once. */
function batchOf(inputs: readonly Port[], path: string): Calibration {
  const [port] = inputs
  if (inputs.length > 1)
    throw new InputError(
      `--calibrate ${path}: the model takes ${inputs.map(describePort).join(', ')}, a .npy is one; a number of scenes is allowed`
    )
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
