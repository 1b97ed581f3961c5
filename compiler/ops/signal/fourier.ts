import { add, type Dim, div, show, showShape, sub } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import { largestFolded, type Node, type Value } from '../../graph/index.js'
import { knownNumber } from '../branch.js'
import { axisOf, numbersOf, type Op } from '../op.js'

/** Fourier transforms, which the decompose pass spells as products with matrices of waves. */

export interface Transform {
  /** Elements of the signal that count, parts of each (1 of real numbers, 2 of complex ones), frequencies of the whole, and those that are given. */
  readonly samples: number
  readonly parts: number
  readonly length: number
  readonly bins: number
  readonly inverse: boolean
}

/** [samples * parts, bins * 2]: what each part of a sample adds to the real and the imaginary part of each frequency. */
export function waves({ samples, parts, length, bins, inverse }: Transform): Float32Array {
  const matrix = new Float32Array(samples * parts * bins * 2)
  const scale = inverse ? 1 / length : 1
  const sign = inverse ? 1 : -1
  for (let t = 0; t < samples; t++)
    for (let k = 0; k < bins; k++) {
      const angle = (2 * Math.PI * ((t * k) % length)) / length
      const [real, imaginary] = [scale * Math.cos(angle), scale * sign * Math.sin(angle)]
      const at = (part: number) => ((t * parts + part) * bins + k) * 2
      matrix.set([real, imaginary], at(0))
      if (parts === 2) matrix.set([-imaginary, real], at(1))
    }
  return matrix
}

function partsOf(node: Node, value: Value): number {
  const parts = value.shape[value.rank - 1]
  if (value.rank < 2 || (parts !== 1 && parts !== 2))
    throw refuse(node, `input ${showShape(value.shape)} must end in an axis of 1 (real) or 2 (complex)`)
  return parts
}

function binsOf(node: Node, length: number, parts: number, inverse: boolean): number {
  if (!node.number('onesided', node.op === 'STFT' ? 1 : 0)) return length
  if (parts === 2 || inverse) throw refuse(node, 'is onesided; real input of a transform forwards is allowed')
  return Math.floor(length / 2) + 1
}

function checkSize(node: Node, { samples, parts, length, bins }: Transform): void {
  if (!(Number.isInteger(length) && length >= 1)) throw refuse(node, `has length ${length}; at least 1 is allowed`)
  const size = samples * parts * bins * 2
  if (size > largestFolded)
    throw refuse(node, `of length ${length} would take a matrix of ${size} numbers; ${largestFolded} are allowed`)
}

/** The axis of a DFT, and its transform. */
export function transformOf(node: Node): Transform & { readonly axis: number } {
  const x = node.inputs[0]!
  const parts = partsOf(node, x)
  const axis = axisOf(node, node.inputs[2] ? numbersOf(node, 2, 'axis')![0] : node.number('axis', -2), x.rank)
  if (axis === x.rank - 1) throw refuse(node, `axis ${axis} holds real and imaginary parts; others are allowed`)
  const size = x.shape[axis]
  if (typeof size !== 'number') throw refuse(node, `axis ${axis} of ${showShape(x.shape)} must be of known size`)
  const length = node.inputs[1] ? knownNumber(node.inputs[1]) : size
  if (length === undefined) throw refuse(node, `dft_length "${node.inputs[1]!.name}" must be known when compiling`)
  const inverse = node.number('inverse', 0) !== 0
  const transform = {
    samples: Math.min(size, length),
    parts,
    length,
    bins: binsOf(node, length, parts, inverse),
    inverse
  }
  checkSize(node, transform)
  return { ...transform, axis }
}

const dft: Op = {
  infer(node) {
    const x = node.inputs[0]!
    const { axis, bins } = transformOf(node)
    node.output.dtype = x.dtype
    node.output.shape = x.shape.map((size, a) => (a === axis ? bins : a === x.rank - 1 ? 2 : size))
  }
}

/** The transform of each frame of an STFT, and how far frames are apart. */
export function framesOf(node: Node): Transform & { readonly step: number; readonly frames: Dim } {
  const [x, steps, window, lengths] = node.inputs
  if (x!.rank !== 3) throw refuse(node, `signal ${showShape(x!.shape)} must have 3 axes: batch, samples, parts`)
  const parts = partsOf(node, x!)
  const step = knownNumber(steps)
  const length = lengths ? knownNumber(lengths) : window?.shape[0]
  if (typeof step !== 'number' || typeof length !== 'number')
    throw refuse(node, 'frame_step and frame_length, or the size of the window, must be known when compiling')
  if (!(Number.isInteger(step) && step >= 1)) throw refuse(node, `frame_step is ${step}; at least 1 is allowed`)
  if (window && !(window.rank === 1 && window.shape[0] === length))
    throw refuse(node, `window ${showShape(window.shape)} does not fit frames of ${length}`)
  const samples = x!.shape[1]
  if (typeof samples === 'number' && samples < length)
    throw refuse(node, `has ${show(samples)} samples; a frame of ${length} at least is needed`)
  const transform = { samples: length, parts, length, bins: binsOf(node, length, parts, false), inverse: false }
  checkSize(node, transform)
  return { ...transform, step, frames: add(div(sub(samples, length), step), 1) }
}

const stft: Op = {
  required: 2,
  infer(node) {
    const x = node.inputs[0]!
    const { bins, frames } = framesOf(node)
    node.output.dtype = x.dtype
    node.output.shape = [x.shape[0], frames, bins, 2]
  }
}

export const transforms: Record<string, Op> = { DFT: dft, STFT: stft }
