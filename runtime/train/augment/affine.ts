import type { Random } from '../random.js'

/**
 * Where an output pixel's colour comes from: the pixel at (x, y) is read at (ax + by + c, dx + ey + f), in pixels from
 * the picture's centre, x to the right and y down.
 */
export type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number]

export interface Size {
  readonly width: number
  readonly height: number
}

/** What moves a picture's pixels, drawn anew for each picture. */
export interface Geometry {
  readonly stage: 'geometry'
  draw(size: Size, random: Random): Affine
}

export const identity: Affine = [1, 0, 0, 0, 1, 0]

export const isIdentity = (map: Affine) => map.every((value, i) => value === identity[i])

/** The map of a picture that `first` has moved and then `second` moves. */
export function compose([a, b, c, d, e, f]: Affine, [A, B, C, D, E, F]: Affine): Affine {
  return [a * A + b * D, a * B + b * E, a * C + b * F + c, d * A + e * D, d * B + e * E, d * C + e * F + f]
}

export const flipped: Affine = [-1, 0, 0, 0, 1, 0]
export const flippedVertically: Affine = [1, 0, 0, 0, -1, 0]

/** What is seen moves by `x` pixels to the right and `y` down. */
export const shifted = (x: number, y: number): Affine => [1, 0, -x, 0, 1, -y]

/** What is seen grows by `factor`. */
export const scaled = (factor: number): Affine => [1 / factor, 0, 0, 0, 1 / factor, 0]

/** What is seen turns clockwise. */
export function rotated(degrees: number): Affine {
  const angle = (degrees * Math.PI) / 180
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  return [cos, sin, 0, -sin, cos, 0]
}

const geometry = (draw: Geometry['draw']): Geometry => ({ stage: 'geometry', draw })

/** Left and right change places with this probability. */
export const flip = (probability = 0.5): Geometry =>
  geometry((_, random) => (random.next() < probability ? flipped : identity))

/** Top and bottom change places with this probability. */
export const verticalFlip = (probability = 0.5): Geometry =>
  geometry((_, random) => (random.next() < probability ? flippedVertically : identity))

/** By up to `share` of the width and of the height, either way. */
export const shift = (share = 0.1): Geometry =>
  geometry(({ width, height }, random) =>
    shifted(width * random.between(-share, share), height * random.between(-share, share))
  )

/** By a factor from 1 / (1 + amount) to 1 + amount, its logarithm uniform. */
export const scale = (amount = 0.2): Geometry => geometry((_, random) => scaled((1 + amount) ** random.between(-1, 1)))

/** By up to so many degrees, either way. */
export const rotate = (degrees = 15): Geometry => geometry((_, random) => rotated(random.between(-degrees, degrees)))

export interface CropOptions {
  /** Share of the picture's area that is kept; default 0.08 to 1. */
  readonly area?: readonly [least: number, most: number]
  /** Proportions of what is kept, as a multiple of the picture's own; default 3/4 to 4/3, the logarithm uniform. */
  readonly ratio?: readonly [least: number, most: number]
}

/**
 * A random part, enlarged to the whole picture (Szegedy et al., "Going deeper with convolutions", 2015, §6; ten tries
 * to find a part that fits, as in torchvision, else the whole).
 */
export const crop = ({ area = [0.08, 1], ratio = [3 / 4, 4 / 3] }: CropOptions = {}): Geometry =>
  geometry(({ width, height }, random) => {
    for (let attempt = 0; attempt < 10; attempt++) {
      const kept = random.between(...area)
      const shape = ratio[0] * (ratio[1] / ratio[0]) ** random.next()
      const [wide, high] = [Math.sqrt(kept * shape), Math.sqrt(kept / shape)]
      if (wide > 1 || high > 1) continue
      const [x, y] = [(1 - wide) * random.between(-0.5, 0.5), (1 - high) * random.between(-0.5, 0.5)]
      return [wide, 0, x * width, 0, high, y * height]
    }
    return identity
  })
