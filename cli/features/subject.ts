import { importOnnx } from '../../compiler/onnx/index.js'
import { foldConstants } from '../../compiler/passes/index.js'
import { type FeatureOptions, type PixelRange, pictureFrom } from '../../explain/index.js'
import { pixelsOf } from '../../explain/maps.js'
import type { Picture, Tensor } from '../../runtime/tensor/index.js'
import { about, externalDataOf, importOf, type ModelFile } from '../model/index.js'
import { imagePort, imageTensor, type Preparation } from '../pictures/index.js'
import { InputError } from '../terminal/index.js'

/** A network, and how pictures become its input. */
export interface Subject {
  readonly bytes: Uint8Array
  readonly dims: readonly number[]
  readonly options: FeatureOptions
  readonly range: PixelRange
  input(picture: Picture): Tensor
  /** An input as a picture: what the model sees. */
  seen(input: Tensor): Picture
}

export interface Wanted {
  readonly prepare: Preparation
  /** A picture that it shall take; without one the model says how large they are. */
  readonly first: Picture | undefined
  readonly device: string | undefined
  readonly threads: number | undefined
}

export async function subjectOf(model: ModelFile, { prepare, first, device, threads }: Wanted): Promise<Subject> {
  const { path, bytes } = model
  if (model.kind === 'cairn')
    throw new InputError(`${path}: a compiled model holds calls of kernels, not layers by name: give the .onnx`)
  const imported = importOf(model)
  const inputs = await about(path, () => {
    const graph = importOnnx(bytes, imported)
    foldConstants.run(graph)
    return graph.inputs
  })
  const ports = inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape, storage: 0, offset: 0 }))
  const port = imagePort({ inputs: ports }, prepare.layout, { flag: 'input', instead: 'features are of pictures' })
  const grey = (byte: number, width = 32, height = 32): Picture => ({
    ...{ width, height, data: new Uint8Array(width * height * 3).fill(byte) }
  })
  const input = (picture: Picture) => imageTensor(picture, port, prepare)
  const { dims } = input(first ?? grey(0))
  const [width, height] = sidesOf(dims)
  // The layers are compiled for the first picture's size, which all others then have.
  const sized = { ...prepare, size: prepare.size ?? ([height, width] as const) }
  const range = rangeOf(
    prepare,
    [0, 255].map(byte => input(grey(byte, width, height))),
    dims
  )
  return {
    ...{ bytes, dims, range, input: (picture: Picture) => imageTensor(picture, port, sized) },
    options: { ...imported, externalData: externalDataOf(path), numThreads: threads, device },
    seen: tensor => pictureFrom(tensor, range)
  }
}

function sidesOf(dims: readonly number[]): [width: number, height: number] {
  const { width, height } = pixelsOf(dims)
  return [width, height]
}

/** What the preparation makes of black and of white. */
function rangeOf({ bgr }: Preparation, ends: readonly Tensor[], dims: readonly number[]): PixelRange {
  const { channels, channel } = pixelsOf(dims)
  const [black, white] = ends.map(({ data }) => Array.from({ length: channels }, (_, c) => Number(data[c * channel])))
  return { black, white, bgr }
}
