import { isStatic } from '../../algebra/index.js'
import type { Node, Value } from '../../graph/index.js'
import type { Writer } from '../../infer/index.js'
import type { Scale } from '../../ops/index.js'
import type { Layer } from './layers.js'
import { attributesOf, narrow, quantumOf, rescaled } from './scales.js'

/** Operators that leave elements as they are. */
export const moving: readonly string[] = [
  'Flatten',
  'Identity',
  'Reshape',
  'Slice',
  'Squeeze',
  'Transpose',
  'Unsqueeze'
]

/** What only moves bytes. */
const movement: Layer = (write, node, to) => {
  const from = quantumOf(node.inputs[0])
  if (!from) return undefined
  const value = narrow(write.add(node.op, [from.value, ...node.inputs.slice(1)], attributesOf(node)))
  return rescaled(write, { ...from, value }, to)
}

/** Enlarging by repetition is an Expand of axes of 1 behind the spatial ones. */
const repetition: Layer = (write, node, to) => {
  const from = quantumOf(node.inputs[0])
  const factors = repeats(node)
  if (!from || !factors) return undefined
  const shape = from.value.shape as number[]
  const apart = shape.flatMap((size, axis) => (axis < 2 ? [size] : [size, 1]))
  const wide = shape.flatMap((size, axis) => (axis < 2 ? [size] : [size, factors[axis]]))
  const expanded = narrow(write.add('Expand', [narrow(write.reshape(from.value, apart)), write.sizes(wide)]))
  const value = narrow(write.reshape(expanded, node.output.shape))
  return rescaled(write, { ...from, value }, to)
}

/**
 * How often a Resize repeats each pixel along every axis, [N, C, spatial]; undefined of one that does anything else. With pixel centres
 * that are half-way, rounding never meets a tie at whole factors.
 */
export function repeats(node: Node): number[] | undefined {
  const shape = node.inputs[0]?.shape
  const result = node.output.shape
  if ((node.op !== 'Resize' && node.op !== 'Upsample') || node.text('mode', 'nearest') !== 'nearest') return undefined
  if (!shape || !isStatic(shape) || !isStatic(result) || shape.length < 3 || shape.length > 4) return undefined
  const coordinates = node.text('coordinate_transformation_mode', node.op === 'Upsample' ? 'asymmetric' : 'half_pixel')
  const rounding = node.text('nearest_mode', node.op === 'Upsample' ? 'floor' : 'round_prefer_floor')
  const isCentred = /^(pytorch_)?half_pixel$/.test(coordinates) && rounding.startsWith('round_')
  if (!isCentred && !(coordinates === 'asymmetric' && rounding === 'floor')) return undefined
  const factors = result.map((size, axis) => (size as number) / (shape[axis] as number))
  const areWhole = factors.every((factor, axis) => (axis < 2 ? factor === 1 : factor >= 1 && Number.isInteger(factor)))
  return areWhole ? factors : undefined
}

/** What a Split gives as `output`, which is a Slice. */
export function partOf(write: Writer, node: Node, output: Value, to: Scale): Value | undefined {
  const from = quantumOf(node.inputs[0])
  if (!from) return undefined
  const axis = (node.number('axis', 0) + from.value.rank) % from.value.rank
  const sizes = node.outputs.map(({ shape }) => shape[axis])
  if (!isStatic(sizes)) return undefined
  const index = node.outputs.indexOf(output)
  const begin = sizes.slice(0, index).reduce((sum: number, size) => sum + (size as number), 0)
  const bounds = [begin, begin + (sizes[index] as number), axis].map(size => write.sizes([size]))
  const value = narrow(write.add('Slice', [from.value, ...bounds]))
  return rescaled(write, { ...from, value }, to)
}

export const movements: Readonly<Record<string, Layer>> = {
  ...Object.fromEntries(moving.map(op => [op, movement])),
  Resize: repetition,
  Upsample: repetition
}
