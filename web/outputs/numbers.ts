import type { Output } from '../engine/protocol.js'
import { areShares, type Fed, isUnit, type Numbers, vectorOf } from './output.js'

/** Fewer numbers than this are measurements rather than features. */
const features = 64

/** What fits no other kind, with what it may be. */
export function numbers(output: Output, fed: Fed): Numbers & { readonly of: readonly string[] } {
  const vector = vectorOf(output, fed)
  const mayBeClasses = output.type.startsWith('float') && vector !== undefined && fed.planes > 0
  return { kind: 'numbers', of: [output.name], output, vector, guess: guess(output, vector), mayBeClasses }
}

function guess({ dims, data, type }: Output, vector: Float32Array | undefined): string {
  const whole = !type.startsWith('float')
  if (!data.length) return 'nothing: the run has found no rows'
  if (data.length === 1) return whole ? 'one whole number' : 'one number'
  if (vector) {
    if (isUnit(vector) && vector.length > 8) return 'probably an embedding, to be compared with others'
    if (whole) return 'whole numbers'
    if (vector.length >= features) return 'maybe features; classes, if you have labels for them'
    return areShares(vector) ? 'from 0 to 1, each on its own' : 'measurements, or scores of classes'
  }
  if (dims.length === 2 && dims[1] === 3 && whole) return 'rows of picture, class and box, which the model kept'
  if (dims.at(-1) === 4) return 'rows of four: boxes or lines, of which nothing tells how sure they are'
  return ''
}
