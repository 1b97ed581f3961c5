import { planesOf, type RecogniseOne, range, sigmoid } from './output.js'

/**
 * One plane, no larger than the input, is a share for each pixel. Numbers of both signs pass a sigmoid first; numbers that are all
 * on one side are a measurement, a depth for instance.
 */
export const mask: RecogniseOne = (output, fed) => {
  const planes = planesOf(output, fed)
  if (planes?.channels !== 1 || !planes.fits || !output.type.startsWith('float')) return undefined
  const { height, width, at } = planes
  const { least, most } = range(output.data)
  const squashed = least < -1e-3 || most > 1 + 1e-3
  if (squashed && least * most >= 0) return undefined
  const values = Float32Array.from({ length: height * width }, (_, i) => (squashed ? sigmoid(at(0, i)) : at(0, i)))
  return { kind: 'mask', of: [output.name], width, height, values, squashed }
}
