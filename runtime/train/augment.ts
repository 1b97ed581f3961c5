import { CairnError } from '../base/index.js'
import type { Picture } from '../tensor/index.js'
import {
  type Affine,
  compose,
  crop,
  flip,
  type Geometry,
  identity,
  isIdentity,
  rotate,
  scale,
  shift,
  verticalFlip
} from './augment/affine.js'
import {
  brightness,
  type Colouring,
  type ColourMap,
  chained,
  colour,
  contrast,
  greyOf,
  hue,
  lighting,
  meanColourOf,
  recolour,
  saturation,
  unchanged
} from './augment/colour.js'
import { type Bending, elastic } from './augment/elastic.js'
import { cutout, noise, type Retouching } from './augment/pixels.js'
import { randAugment } from './augment/randaugment.js'
import { type Field, rgbOf, warp } from './augment/warp.js'
import type { Random } from './random.js'
import { numberOf, termsOf } from './terms.js'

/**
 * A random variant of a picture, RGB of the same size, for training. It depends on the picture and on what `random`
 * gives next, and leaves the picture as it was.
 */
export type Augmentation = (picture: Picture, random: Random) => Picture

export type Transform = Geometry | Bending | Colouring | Retouching

/**
 * All transforms as one augmentation. Each picture is resampled once for everything that moves pixels and recoloured
 * once; noise and cutout follow. Within a stage the order is the list's.
 */
export function augmentationOf(transforms: readonly Transform[]): Augmentation {
  return (picture, random) => {
    const { width, height } = picture
    let map: Affine = identity
    let field: Field | undefined
    for (const transform of transforms)
      if (transform.stage === 'geometry') map = compose(map, transform.draw({ width, height }, random))
      else if (transform.stage === 'bending') field = sum(field, transform.draw({ width, height }, random))
    let result = field || !isIdentity(map) ? warp(picture, map, field) : rgbOf(picture)

    const colourings = transforms.filter(({ stage }) => stage === 'colour') as Colouring[]
    if (colourings.length) {
      const mean = meanColourOf(result)
      const change = (map: ColourMap, each: Colouring) => chained(map, each.draw(greyOf(mean, map), random))
      result = recolour(result, colourings.reduce(change, unchanged))
    }
    for (const transform of transforms) if (transform.stage === 'pixels') result = transform.apply(result, random)
    return result
  }
}

const sum = (a: Field | undefined, b: Field): Field =>
  a ? { x: a.x.map((value, i) => value + b.x[i]), y: a.y.map((value, i) => value + b.y[i]) } : b

export interface NamedTransform {
  /** One line for help texts. */
  readonly help: string
  /** The amount where none is said, and the bounds of it; the least is 0 unless given. */
  readonly usual: number
  readonly least?: number
  readonly most: number
  /** A second amount, a whole number from 1 on, written behind a colon. */
  readonly second?: { readonly usual: number; readonly most: number }
  readonly make: (amount: number, second?: number) => Transform
}

const probability = { usual: 0.5, most: 1 }

/** What `parseAugmentations` knows, by name. */
export const augmentations: Readonly<Record<string, NamedTransform>> = {
  flip: { help: 'left and right change places, with this probability', ...probability, make: flip },
  vflip: { help: 'top and bottom change places, with this probability', ...probability, make: verticalFlip },
  shift: { help: 'moved by up to this share of the width and height', usual: 0.1, most: 1, make: shift },
  scale: { help: 'enlarged or reduced by up to this much: 0.2 is 1/1.2 to 1.2', usual: 0.2, most: 4, make: scale },
  rotate: { help: 'turned by up to so many degrees, either way', usual: 15, most: 180, make: rotate },
  crop: {
    help: 'a part of at least this share of the area, 3:4 to 4:3, enlarged',
    usual: 0.08,
    least: 0.01,
    most: 1,
    make: least => crop({ area: [least, 1] })
  },
  elastic: { help: 'bent: points move by so many pixels of 224', usual: 8, most: 64, make: elastic },
  color: {
    help: 'brightness, contrast and saturation by up to this, hue by a quarter',
    usual: 0.4,
    most: 1,
    make: colour
  },
  brightness: { help: 'colours times 1 - X to 1 + X', usual: 0.4, most: 1, make: brightness },
  contrast: { help: "distance from the picture's grey times 1 - X to 1 + X", usual: 0.4, most: 1, make: contrast },
  saturation: { help: 'distance from grey times 1 - X to 1 + X', usual: 0.4, most: 1, make: saturation },
  hue: { help: 'turned by up to this part of the colour circle', usual: 0.1, most: 0.5, make: hue },
  lighting: {
    help: "light of another colour along ImageNet's components, this deviation",
    usual: 0.1,
    most: 2,
    make: lighting
  },
  noise: { help: 'normal noise of this deviation, as a share of white', usual: 0.05, most: 1, make: noise },
  cutout: { help: 'a grey square of this share of the shorter side', usual: 0.25, most: 1, make: cutout },
  randaugment: {
    help: 'RandAugment: M:N, of strength M from 0 to 10, N transforms of fourteen',
    usual: 9,
    most: 10,
    second: { usual: 2, most: 14 },
    make: randAugment
  }
}

/** An augmentation as a list such as `flip,shift=0.1,rotate=15`; of an empty one pictures come back as they are. Throws CairnError. */
export function parseAugmentations(text: string): Augmentation {
  const transforms = termsOf(text).map(({ name, value }) => {
    const known = Object.hasOwn(augmentations, name) ? augmentations[name] : undefined
    if (!known)
      throw new CairnError(
        `augmentation ${name || `'${text}'`}: unknown; ${Object.keys(augmentations).join(', ')} are allowed`
      )
    const { usual, least = 0, most, second, make } = known
    if (value === undefined) return make(usual, second?.usual)
    const what = `augmentation ${name}=${value}`
    const at = second ? value.indexOf(':') : -1
    if (at < 0) return make(numberOf(value, what, { least, most }), second?.usual)
    const count = numberOf(value.slice(at + 1), what, { least: 1, most: second!.most, whole: true })
    return make(numberOf(value.slice(0, at), what, { least, most }), count)
  })
  return augmentationOf(transforms)
}
