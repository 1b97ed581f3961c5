import { type Mask, planesOf, type Recognise, range, sigmoid } from './output.js'

/** One plane, no larger than the input, is a probability for each pixel; what is none passes a sigmoid first. */
export const mask: Recognise = ([output, ...others], fed): Mask | undefined => {
  const planes = others.length ? undefined : planesOf(output, fed)
  if (planes?.channels !== 1 || !output.type.startsWith('float')) return undefined
  const { height, width, at } = planes
  const { least, most } = range(output.data)
  const isProbability = least >= -1e-3 && most <= 1 + 1e-3
  const values = Float32Array.from({ length: height * width }, (_, i) => (isProbability ? at(0, i) : sigmoid(at(0, i))))
  return { kind: 'mask', width, height, values }
}
