import type { ImagePreparation } from 'cairnjs/train'
import { numbersFor, ordered, type PicturePort, type Preparation, resizedFor, valueKinds } from './prepare.js'

/** How photos were prepared for a head, as its patch remembers it, here and in the command line. */
export function rememberedFor(port: PicturePort, preparation: Preparation, size: Size): ImagePreparation {
  const { fit } = preparation
  const isFree = port.height === undefined || port.width === undefined
  const isCut = fit !== 'stretch' && fit !== 'pad'
  return {
    ...numbersFor(port, preparation),
    fit: isCut ? 'crop' : fit,
    ...(isCut && { resize: resizedFor(fit, ...size) }),
    ...(isFree && { size })
  }
}

type Size = readonly [height: number, width: number]

/** The same in the page's words, for a model that takes pictures by `port`. */
export function preparationFrom(image: ImagePreparation, port: PicturePort): Preparation {
  const { resize, size } = image
  const channels = image.channels === 'BGR' ? 'BGR' : 'RGB'
  const known: Partial<Size> = [port.height ?? size?.[0], port.width ?? size?.[1]]
  return {
    ...{ values: valuesFrom(image, port, channels), channels, size: size ?? 320 },
    fit: image.fit === 'crop' ? cutFrom(resize, known) : image.fit
  }
}

/** The kind that has these numbers, or the numbers. */
function valuesFrom(
  image: ImagePreparation,
  port: PicturePort,
  channels: Preparation['channels']
): Preparation['values'] {
  const { scale, mean, std } = image
  const kinds = Object.keys(valueKinds) as (keyof typeof valueKinds)[]
  const kind = kinds.find(values => {
    const own = numbersFor(port, { values, channels, fit: 'inner', size: 0 })
    return areClose([own.scale], [scale]) && areClose(own.mean, mean) && areClose(own.std, std)
  })
  return kind ?? { scale, mean: ordered(mean, channels), std: ordered(std, channels) }
}

/** One number stands for three of the same. */
function areClose(a: readonly number[], b: readonly number[]): boolean {
  const each = (list: readonly number[], i: number) => list[Math.min(i, list.length - 1)]
  return [0, 1, 2].every(i => Math.abs(each(a, i) - each(b, i)) <= 1e-6 * Math.max(1e-3, Math.abs(each(b, i))))
}

function cutFrom(resize: number | undefined, [height, width]: Partial<Size>): Preparation['fit'] {
  if (resize === undefined) return 'inner'
  const kinds = ['centre', 'inner'] as const
  const isKnown = height !== undefined && width !== undefined
  return kinds.find(kind => isKnown && resizedFor(kind, height, width) === resize) ?? { resize }
}
