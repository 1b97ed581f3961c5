import type { Port, Program } from '../../runtime/file/index.js'
import { Tensor, type Type } from '../../runtime/index.js'
import {
  fit,
  fitting,
  imageDims,
  imageNet,
  letterbox,
  type Picture,
  resize,
  toFloatData
} from '../../runtime/tensor/index.js'
import type { ImagePreparation } from '../../train/index.js'
import { describePort } from '../model/index.js'
import { type Flags, InputError, type Option, UsageError } from '../terminal/index.js'

/** Image files as a model's input, by default the way ImageNet models expect them. */
export const imageOptions: readonly Option[] = [
  {
    flag: '--size',
    value: 'HxW',
    help: "size of the input where the model leaves it free; default: the image's own, in multiples of 32"
  },
  { flag: '--resize', value: 'S', help: 'shorter side before the centre is cut out (default 256 for 224)' },
  { flag: '--stretch', help: 'resize straight to the input size, cut nothing' },
  { flag: '--pad', help: 'resize to fit into the input size and pad with grey, cut nothing' },
  { flag: '--mean', value: 'R,G,B', help: "subtracted after scaling (default ImageNet's .485,.456,.406)" },
  { flag: '--std', value: 'R,G,B', help: "divided by (default ImageNet's .229,.224,.225)" },
  {
    flag: '--scale',
    value: 'X',
    help: 'multiplies the bytes first (default 1/255; with --scale, mean 0 and std 1 unless given)'
  },
  { flag: '--bgr', help: 'channels in the order B, G, R; so are --mean and --std then' },
  { flag: '--layout', value: 'nchw|nhwc', help: 'axes of the input; by default told from its shape' }
]

export interface Preparation {
  readonly size: readonly [number, number] | undefined
  readonly resize: number | undefined
  readonly fit: ImagePreparation['fit']
  readonly layout: 'NCHW' | 'NHWC' | undefined
  readonly bgr: boolean
  readonly scale: number
  readonly mean: readonly number[] | undefined
  readonly std: readonly number[] | undefined
  readonly plain: boolean
}

/** As the flags say; what they leave open, as a patch remembers it. */
export function preparationOf(flags: Flags, remembered?: ImagePreparation): Preparation {
  const given = givenIn(flags)
  return remembered ? completed(given, remembered, flags) : given
}

function givenIn(flags: Flags): Preparation {
  const size = flags.text('size')
  const match = size === undefined ? undefined : /^(\d+)(?:x(\d+))?$/.exec(size)
  if (match === null || match?.slice(1).some(side => Number(side) === 0))
    throw new UsageError(`--size ${size}: a size such as 224 or 480x640 (height × width) is allowed`)
  const layout = flags.text('layout') && flags.choice('layout', ['nchw', 'nhwc'], 'nchw')
  const [mean, std] = [flags.numbers('mean'), flags.numbers('std')]
  if (std?.includes(0)) throw new UsageError('--std 0: numbers other than 0 are allowed')
  for (const [name, list] of [
    ['mean', mean],
    ['std', std]
  ] as const)
    if (list && ![1, 3].includes(list.length))
      throw new UsageError(`--${name} has ${list.length} numbers; 1 or 3 are allowed`)
  const fits = fittingsIn(flags)
  if (fits.length > 1) throw new UsageError(`--${fits[0]} and --${fits[1]} exclude each other`)
  const scale = flags.number('scale')
  return {
    size: match ? [Number(match[1]), Number(match[2] ?? match[1])] : undefined,
    resize: flags.whole('resize'),
    fit: flags.has('stretch') ? 'stretch' : flags.has('pad') ? 'pad' : 'crop',
    layout: layout === 'nhwc' ? 'NHWC' : layout === 'nchw' ? 'NCHW' : undefined,
    bgr: flags.has('bgr'),
    scale: scale ?? imageNet.scale,
    mean,
    std,
    plain: scale !== undefined
  }
}

const fittingsIn = (flags: Flags) =>
  ['stretch', 'pad', 'resize'].filter(flag => flags.has(flag) || (flag === 'resize' && flags.text(flag) !== undefined))

/** A scale that is given brings its own mean and deviation, as it does without a patch. */
function completed(given: Preparation, remembered: ImagePreparation, flags: Flags): Preparation {
  const isFitted = fittingsIn(flags).length > 0
  const { scale, mean, std } = given.plain ? given : remembered
  return {
    ...given,
    size: given.size ?? remembered.size,
    resize: isFitted ? given.resize : remembered.resize,
    fit: isFitted ? given.fit : remembered.fit,
    bgr: given.bgr || remembered.channels === 'BGR',
    ...{ scale, mean: given.mean ?? mean, std: given.std ?? std }
  }
}

/** What `imageTensor` does for a port, for a patch to remember. */
export function rememberedFor(port: Port, { size, resize, fit, scale, ...prepare }: Preparation): ImagePreparation {
  const { channels, mean, std } = numbersFor(port, { size, resize, fit, scale, ...prepare })
  return { channels, scale, mean: [mean].flat(), std: [std].flat(), fit, resize, size }
}

/** What asks for pictures, for what it refuses: the flag, and what to do instead. */
export interface Asking {
  readonly flag: string
  readonly instead: string
}

const asImage: Asking = { flag: '--image', instead: 'use --input' }

/** The only input that can take an image: four axes, with 1 or 3 channels. */
export function imagePort(
  { inputs }: Pick<Program, 'inputs'>,
  layout: Preparation['layout'],
  { flag, instead }: Asking = asImage
): Port {
  const ports = inputs.filter(port => port.shape.length === 4 && channelAxis(port, layout) !== undefined)
  const list = inputs.map(describePort).join(', ')
  if (ports.length !== 1)
    throw new InputError(
      `${flag}: ${ports.length ? 'several inputs' : 'no input'} with 1 or 3 channels among ${list}; ${instead}`
    )
  const [batch] = ports[0].shape
  if (typeof batch === 'number' && batch !== 1)
    throw new InputError(`${flag}: input ${describePort(ports[0])} wants ${batch} images at once; ${instead}`)
  return ports[0]
}

function channelAxis({ shape }: Port, layout: Preparation['layout']): 1 | 3 | undefined {
  const fits = (axis: 1 | 3) => shape[axis] === 1 || shape[axis] === 3
  if (layout !== 'NHWC' && fits(1)) return 1
  return layout !== 'NCHW' && fits(3) ? 3 : undefined
}

/** Whether pictures decide how large the input is. */
export function leavesSize({ shape }: Port, { size, layout }: Preparation): boolean {
  const sides = channelAxis({ shape } as Port, layout) === 1 ? shape.slice(2) : shape.slice(1, 3)
  return !size && sides.some(side => typeof side !== 'number')
}

export function imageTensor(picture: Picture, port: Port, prepare: Preparation): Tensor {
  const axis = channelAxis(port, prepare.layout)!
  const layout = axis === 1 ? 'NCHW' : 'NHWC'
  const [high, wide] = axis === 1 ? [port.shape[2], port.shape[3]] : [port.shape[1], port.shape[2]]
  const sized = sizedPicture(
    picture,
    port,
    [high, wide].map(dim => (typeof dim === 'number' ? dim : undefined)),
    prepare
  )
  const { channels, mean, std } = numbersFor(port, prepare)
  const data = toFloatData(sized, { channels, layout, scale: prepare.scale, mean, std })
  const dims = imageDims({ ...sized, channels, layout })
  return new Tensor(port.dtype as Type, port.dtype === 'float32' ? data : Array.from(data), dims)
}

/** Where neither flags nor a patch say so, ImageNet's mean and deviation, in the model's order of channels. */
function numbersFor(port: Port, { bgr, plain, layout, ...given }: Preparation) {
  const grey = port.shape[channelAxis(port, layout)!] === 1
  const channels: ImagePreparation['channels'] = grey ? 'GRAY' : bgr ? 'BGR' : 'RGB'
  const usual = (list: readonly number[], plainly: number) => {
    if (plain) return plainly
    if (grey) return list.reduce((a, b) => a + b, 0) / list.length
    return bgr ? [...list].reverse() : list
  }
  return { channels, mean: given.mean ?? usual(imageNet.mean, 0), std: given.std ?? usual(imageNet.std, 1) }
}

/** The part of a picture, in its pixels, that an input of these dims shows; of a padded one it reaches beyond the picture. */
export function seenRegion(
  picture: Picture,
  dims: readonly number[],
  port: Port,
  { fit, layout, resize }: Preparation
) {
  const [height, width] = channelAxis(port, layout) === 1 ? dims.slice(2) : dims.slice(1, 3)
  const { width: across, height: down } = picture
  if (fit === 'pad') {
    const scale = Math.max(across / width, down / height)
    return { left: 0, top: 0, width: width * scale, height: height * scale }
  }
  if (fit !== 'crop' || port.shape.slice(1).some(size => typeof size !== 'number'))
    return { left: 0, top: 0, width: across, height: down }
  const { wide, high } = fitting(picture, { width, height, resize })
  const seen = { width: (width * across) / wide, height: (height * down) / high }
  return { left: (across - seen.width) / 2, top: (down - seen.height) / 2, ...seen }
}

function sizedPicture(picture: Picture, port: Port, known: (number | undefined)[], prepare: Preparation): Picture {
  const rounded = (side: number) => Math.max(32, Math.round(side / 32) * 32)
  known.forEach((side, i) => {
    if (side !== undefined && prepare.size && prepare.size[i] !== side)
      throw new InputError(
        `--size ${prepare.size.join('x')}: input ${describePort(port)} is fixed to ${known.map(k => k ?? '?').join('x')}`
      )
  })
  const height = known[0] ?? prepare.size?.[0]
  const width = known[1] ?? prepare.size?.[1]
  const isFixed = height !== undefined && width !== undefined
  if (isFixed && prepare.fit === 'crop') return fit(picture, { width, height, resize: prepare.resize })
  if (isFixed && prepare.fit === 'pad') return letterbox(picture, width, height)
  return resize(picture, width ?? rounded(picture.width), height ?? rounded(picture.height))
}
