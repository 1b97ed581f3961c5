import { CairnError } from '../base/index.js'
import type { Random } from './random.js'
import { numberOf, termsOf } from './terms.js'

/**
 * Fills the weights of a layer, of shape [outputs, inputs / groups, ...kernel]; `groups` is 1 unless given. Throws
 * CairnError where the shape has another number of elements.
 */
export type Initialisation = (weights: Float32Array, shape: readonly number[], random: Random, groups?: number) => void

export interface Fans {
  /** Inputs that one output is a sum of, and outputs that one input takes part in. */
  readonly in: number
  readonly out: number
}

export function fansOf(shape: readonly number[], groups = 1): Fans {
  const [outputs, inputs, ...kernel] = shape
  const area = kernel.reduce((product, side) => product * side, 1)
  return { in: inputs * area, out: (outputs / groups) * area }
}

/** Draws every weight alike, from a distribution that the fans choose. */
const drawn =
  (distribution: (fans: Fans, random: Random) => () => number): Initialisation =>
  (weights, shape, random, groups) => {
    if (shape.length < 2 || shape.reduce((product, side) => product * side, 1) !== weights.length)
      throw new CairnError(`${weights.length} weights of shape [${shape}]: [outputs, inputs, ...kernel] is needed`)
    const draw = distribution(fansOf(shape, groups), random)
    for (let i = 0; i < weights.length; i++) weights[i] = draw()
  }

export const zeros: Initialisation = drawn(() => () => 0)

/** Of standard deviation `std`; 0.01 as in Krizhevsky 2012, §5. */
export const normal = (std = 0.01): Initialisation => drawn((_, random) => () => std * random.normal())

/** Uniform, of variance 2 / (in + out) (Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010, equation 16). */
export const xavier: Initialisation = drawn((fans, random) => {
  const bound = Math.sqrt(6 / (fans.in + fans.out))
  return () => random.between(-bound, bound)
})

/** Normal, of variance 2 / in (He et al., "Delving deep into rectifiers", 2015, equation 10). */
export const he: Initialisation = drawn((fans, random) => {
  const std = Math.sqrt(2 / fans.in)
  return () => std * random.normal()
})

const named = new Map([
  ['zeros', zeros],
  ['normal', normal()],
  ['xavier', xavier],
  ['he', he]
])

/** For help texts. */
export const initialisationHelp = 'zeros, normal=STD (0.01), xavier, or he'

/** An initialisation such as `zeros`, `normal=0.4`, `xavier` or `he`. Throws CairnError. */
export function parseInitialisation(text: string): Initialisation {
  const [{ name, value } = { name: '', value: undefined }, ...rest] = termsOf(text)
  const plain = named.get(name)
  if (!plain || rest.length)
    throw new CairnError(`initialisation ${text || "''"}: unknown; zeros, normal=0.01, xavier, he are allowed`)
  if (value === undefined) return plain
  const what = `initialisation ${name}=${value}`
  if (name !== 'normal') throw new CairnError(`${what}: ${name} takes no value`)
  return normal(numberOf(value, what, { least: 0, most: Number.MAX_VALUE }))
}
