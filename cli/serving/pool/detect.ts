import type { Header, Port } from '../../../runtime/file/index.js'
import type { Results, Tensor } from '../../../runtime/index.js'
import { fitting, type Picture } from '../../../runtime/tensor/index.js'
import { toNumbers } from '../../model/index.js'
import type { Preparation } from '../../pictures/index.js'
import { InputError } from '../../terminal/index.js'
import type { Found } from './messages.js'

/** Boxes below this are kept by nobody. */
const floor = 0.25

/** What a detector has found, with corners in pixels of the picture as it came. */
export async function boxesIn(
  results: Results,
  { inputs, outputs }: Header,
  { dims }: Tensor,
  picture: Picture,
  prepare: Preparation,
  labels: readonly string[] | undefined
): Promise<Found[]> {
  const { detect } = await import('./detectors.js')
  const last = isLast(inputs[0])
  const [height, width, planes] = last ? dims.slice(1) : [dims[2], dims[3], dims[1]]
  const fed = {
    ...{
      height,
      width,
      planes: planes as 1 | 3,
      batch: 1,
      channels: prepare.bgr ? ('BGR' as const) : ('RGB' as const)
    },
    knowledge: { name: '', own: labels, lists: [], classifiers: new Set<string>() }
  }
  const given = outputs.map(({ name }) => ({
    ...{ name, type: results[name].type, dims: results[name].dims },
    data: Float32Array.from(toNumbers(results[name]))
  }))
  const found = detect(given, fed)
  if (!found)
    throw new InputError('no output of the model is known to hold boxes; --task outputs gives them as they are')
  const onto = framing(picture, width, height, prepare)
  return found.boxes
    .filter(({ score }) => score >= floor)
    .map(({ index, score, left, top, right, bottom }) => ({
      ...{ index, score, label: found.labels?.[index] },
      box: [...onto(left, top), ...onto(right, bottom)]
    }))
}

const isLast = ({ shape }: Port) => shape[1] !== 1 && shape[1] !== 3

/** From shares of the model's input to pixels of the picture, the way back that its preparation went. */
function framing(picture: Picture, width: number, height: number, { fit, resize }: Preparation) {
  const whole = { wide: width, high: height }
  const scale = Math.min(width / picture.width, height / picture.height)
  const padded = { wide: Math.round(picture.width * scale), high: Math.round(picture.height * scale) }
  const { wide, high } = fit === 'pad' ? padded : fit === 'crop' ? fitting(picture, { width, height, resize }) : whole
  const [left, top] = fit === 'crop' ? [(wide - width) / 2, (high - height) / 2] : [0, 0]
  const within = (value: number, most: number) => Math.round(Math.min(1, Math.max(0, value)) * most * 10) / 10
  return (x: number, y: number) => [
    within((x * width + left) / wide, picture.width),
    within((y * height + top) / high, picture.height)
  ]
}
