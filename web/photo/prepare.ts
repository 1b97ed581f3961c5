import {
  type FloatOptions,
  fit,
  imageNet,
  letterbox,
  type Picture,
  resize,
  Tensor,
  type Type,
  toFloatData
} from 'cairnjs'
import type { PortInfo } from 'cairnjs/compiler'

/** From a photo to what a model reads: which part of it, at what size, in which numbers. */
export interface Preparation {
  readonly values: keyof typeof valueKinds | Numbers
  readonly channels: 'RGB' | 'BGR'
  /** A kind, or the shorter side before the centre is cut out. */
  readonly fit: keyof typeof fitKinds | { readonly resize: number }
  /** The longer side where the model leaves height and width free, or both. */
  readonly size: number | readonly [height: number, width: number]
}

/** An element is (byte * scale - mean) / std; channels in the order R, G, B, or one for all. */
export interface Numbers {
  readonly scale: number
  readonly mean: readonly number[]
  readonly std: readonly number[]
}

export const valueKinds = {
  imagenet: { label: 'ImageNet mean and deviation', ...imageNet },
  signed: { label: '−1 to 1', scale: 1 / 127.5, mean: [1], std: [1] },
  unit: { label: '0 to 1', scale: 1 / 255, mean: [0], std: [1] },
  bytes: { label: '0 to 255', scale: 1, mean: [0], std: [1] },
  centred: { label: '0 to 255 minus the mean (123, 117, 104)', scale: 1, mean: [123, 117, 104], std: [1] }
} as const satisfies Record<string, Numbers & { label: string }>

export const numbersOf = (values: Preparation['values']): Numbers =>
  typeof values === 'string' ? valueKinds[values] : values

export const fitKinds = {
  centre: 'Centre square',
  inner: 'Inner 7/8 of the centre square',
  stretch: 'Whole photo, stretched',
  pad: 'Whole photo, padded'
} as const

export const sizes = [160, 224, 320, 416, 512, 640, 960] as const

/** Where the model's input lies on the photo, in the photo's pixels; it may reach beyond its edges. */
export interface Region {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** An input that takes a picture; sizes that are free are undefined. */
export interface PicturePort {
  readonly name: string
  readonly type: string
  readonly layout: 'NCHW' | 'NHWC'
  readonly batch: number
  readonly channels: 1 | 3
  readonly height: number | undefined
  readonly width: number | undefined
}

/** The first input of four axes with one or three channels. */
export function picturePort(inputs: readonly PortInfo[]): PicturePort | undefined {
  for (const { name, type, shape } of inputs) {
    if (shape.length !== 4) continue
    const axis = [1, 3].find(axis => shape[axis] === 1 || shape[axis] === 3)
    if (axis === undefined) continue
    const [high, wide] = axis === 1 ? [shape[2], shape[3]] : [shape[1], shape[2]]
    const fixed = (dim: number | string) => (typeof dim === 'number' ? dim : undefined)
    return {
      ...{ name, type, layout: axis === 1 ? 'NCHW' : 'NHWC', batch: fixed(shape[0]) ?? 1 },
      ...{ channels: shape[axis] as 1 | 3, height: fixed(high), width: fixed(wide) }
    }
  }
  return undefined
}

export interface Prepared {
  readonly tensor: Tensor
  readonly height: number
  readonly width: number
  readonly region: Region
}

export function prepare(picture: Picture, port: PicturePort, preparation: Preparation): Prepared {
  const { fitted, region } = fitPicture(picture, port, preparation)
  const { height, width } = fitted
  const data = elementsOf(fitted, port, preparation)
  const all = port.batch === 1 ? data : repeated(data, port.batch)
  const dims = [port.batch, ...axesOf(port, height, width)]
  const tensor = new Tensor(port.type as Type, port.type === 'float32' ? all : Array.from(all), dims)
  return { tensor, height, width, region }
}

/** The part of the picture that the input shows, at the input's size. */
export function fitPicture(picture: Picture, port: PicturePort, preparation: Preparation) {
  const { height, width } = sizeFor(picture, port, preparation)
  return fitTo(picture, height, width, preparation.fit)
}

/** A fitted picture in the model's numbers. */
export function elementsOf(fitted: Picture, port: PicturePort, preparation: Preparation): Float32Array {
  return toFloatData(fitted, { layout: port.layout, ...numbersFor(port, preparation) } satisfies FloatOptions)
}

/** All axes but the batch's. */
export function axesOf({ layout, channels }: PicturePort, height: number, width: number): number[] {
  return layout === 'NCHW' ? [channels, height, width] : [height, width, channels]
}

/** A model that wants several pictures at once is given the same one several times. */
function repeated(data: Float32Array, times: number): Float32Array {
  const all = new Float32Array(data.length * times)
  for (let i = 0; i < times; i++) all.set(data, i * data.length)
  return all
}

/** Free sizes keep the photo's proportions, in multiples of 32, which every network of poolings can halve. */
function sizeFor({ width: w, height: h }: Picture, { height, width }: PicturePort, { fit, size }: Preparation) {
  const rounded = (side: number) => Math.max(32, Math.round(side / 32) * 32)
  if (typeof size !== 'number') return { height: height ?? size[0], width: width ?? size[1] }
  if (height !== undefined && width !== undefined) return { height, width }
  const square = fit !== 'stretch'
  if (height !== undefined) return { height, width: rounded(square ? height : (height * w) / h) }
  if (width !== undefined) return { width, height: rounded(square ? width : (width * h) / w) }
  const longer = square ? Math.min(w, h) : Math.max(w, h)
  const side = (own: number) => rounded(Math.min(size, (size * own) / longer))
  return { height: side(h), width: side(w) }
}

function fitTo(picture: Picture, height: number, width: number, kind: Preparation['fit']) {
  const { width: w, height: h } = picture
  const whole = { x: 0, y: 0, width: w, height: h }
  if (kind === 'stretch') return { fitted: resize(picture, width, height), region: whole }
  if (kind === 'pad') {
    const scale = Math.min(width / w, height / h)
    const region = { ...whole, width: width / scale, height: height / scale }
    return { fitted: letterbox(picture, width, height), region }
  }
  const short = resizedFor(kind, height, width)
  const scale = Math.max(width / w, height / h) * (short / Math.min(width, height))
  const region = { width: width / scale, height: height / scale }
  return {
    fitted: fit(picture, { width, height, resize: short }),
    region: { x: (w - region.width) / 2, y: (h - region.height) / 2, ...region }
  }
}

/** The shorter side before the centre is cut out; an eighth is left at the edges where nothing else is said. */
export function resizedFor(kind: Preparation['fit'], height: number, width: number): number {
  if (typeof kind !== 'string') return kind.resize
  const short = Math.min(height, width)
  return kind === 'inner' ? Math.round((short * 8) / 7) : short
}

/** The numbers in the order of the channels. */
export function numbersFor(port: Pick<PicturePort, 'channels'>, { values, channels }: Preparation) {
  const { scale, mean, std } = numbersOf(values)
  if (port.channels === 1) return { channels: 'GRAY', scale, mean: [average(mean)], std: [average(std)] } as const
  return { channels, scale, mean: ordered(mean, channels), std: ordered(std, channels) }
}

/** From the order R, G, B to that of the channels, or back. */
export const ordered = (list: readonly number[], channels: Preparation['channels']) =>
  channels === 'BGR' ? [...list].reverse() : list

const average = (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / list.length
