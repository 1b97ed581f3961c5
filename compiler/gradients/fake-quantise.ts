import type { Value } from '../graph/index.js'
import type { Writer } from '../infer/index.js'

/** Steps of a quantised tensor: `value = step * scale`, whole steps from `low` to `high`. */
export interface Steps {
  /** One number, or one for each channel, in a shape that broadcasts. */
  readonly scale: Value
  readonly inverse: Value
  readonly low: number
  readonly high: number
}

/** A little less than what rounds to the outermost steps, so that the gradient of those is 1 as well. */
const margin = 0.49

/**
 * What remains of a value when it has been quantised, computed in floats. The gradient passes straight through the rounding
 * (Bengio, Léonard and Courville 2013; Jacob et al. 2018, section 3), and is 0 where a value lies outside of the range.
 */
export function fakeQuantise(write: Writer, x: Value, { scale, inverse, low, high }: Steps): Value {
  const steps = write.add('Mul', [x, inverse])
  const inside = write.add('Activation', [steps], { act: 'clip', alpha: low - margin, beta: high + margin })
  const whole = write.add('Activation', [inside], { act: 'round', straightThrough: 1 })
  return write.add('Mul', [whole, scale])
}
