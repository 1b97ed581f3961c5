import { type FloatOptions, fit, imageDims, imageNet, type Picture, resize, toFloatData } from '../../runtime/image.js'
import { Tensor, type Type } from '../../runtime/index.js'
import type { Port, Program } from '../../runtime/program.js'
import { type Flags, InputError, type Option, UsageError } from './command.js'
import { describePort } from './model.js'

/** Image files as a model's input, by default the way ImageNet models expect them. */
export const imageOptions: readonly Option[] = [
  {
    flag: '--size',
    value: 'HxW',
    help: "size of the input where the model leaves it free; default: the image's own, in multiples of 32"
  },
  { flag: '--resize', value: 'S', help: 'shorter side before the centre is cut out (default 256 for 224)' },
  { flag: '--stretch', help: 'resize straight to the input size, cut nothing' },
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
  readonly stretch: boolean
  readonly layout: 'NCHW' | 'NHWC' | undefined
  readonly bgr: boolean
  readonly scale: number
  readonly mean: readonly number[] | undefined
  readonly std: readonly number[] | undefined
  readonly plain: boolean
}

export function preparationOf(flags: Flags): Preparation {
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
  const scale = flags.number('scale')
  return {
    size: match ? [Number(match[1]), Number(match[2] ?? match[1])] : undefined,
    resize: flags.whole('resize'),
    stretch: flags.has('stretch'),
    layout: layout === 'nhwc' ? 'NHWC' : layout === 'nchw' ? 'NCHW' : undefined,
    bgr: flags.has('bgr'),
    scale: scale ?? imageNet.scale,
    mean,
    std,
    plain: scale !== undefined
  }
}

/** The only input that can take an image: four axes, with 1 or 3 channels. */
export function imagePort({ inputs }: Pick<Program, 'inputs'>, layout: Preparation['layout']): Port {
  const ports = inputs.filter(port => port.shape.length === 4 && channelAxis(port, layout) !== undefined)
  if (ports.length === 1) return ports[0]
  const list = inputs.map(describePort).join(', ')
  throw new InputError(
    `--image: ${ports.length ? 'several inputs' : 'no input'} with 1 or 3 channels among ${list}; use --input`
  )
}

function channelAxis({ shape }: Port, layout: Preparation['layout']): 1 | 3 | undefined {
  const fits = (axis: 1 | 3) => shape[axis] === 1 || shape[axis] === 3
  if (layout !== 'NHWC' && fits(1)) return 1
  return layout !== 'NCHW' && fits(3) ? 3 : undefined
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
  const grey = port.shape[axis] === 1
  const channels: FloatOptions['channels'] = grey ? 'GRAY' : prepare.bgr ? 'BGR' : 'RGB'
  const usual = (list: readonly number[], plain: number) => {
    if (prepare.plain) return plain
    if (grey) return list.reduce((a, b) => a + b, 0) / list.length
    return prepare.bgr ? [...list].reverse() : list
  }
  const mean = prepare.mean ?? usual(imageNet.mean, 0)
  const std = prepare.std ?? usual(imageNet.std, 1)
  const data = toFloatData(sized, { channels, layout, scale: prepare.scale, mean, std })
  const dims = imageDims({ ...sized, channels, layout })
  const batch = port.shape[0]
  if (typeof batch === 'number' && batch !== 1)
    throw new InputError(`--image: input ${describePort(port)} wants ${batch} images at once; use --input`)
  return new Tensor(port.dtype as Type, port.dtype === 'float32' ? data : Array.from(data), dims)
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
  const cropped = height !== undefined && width !== undefined && !prepare.stretch
  if (cropped) return fit(picture, { width, height, resize: prepare.resize })
  return resize(picture, width ?? rounded(picture.width), height ?? rounded(picture.height))
}
