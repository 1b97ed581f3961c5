import { type Dim, product, show } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import type { Node, Value } from '../../graph/index.js'
import { describe, numbersOf, type Op } from '../op.js'
import { type Windows, windows } from '../window.js'

/**
 * Operators on the columns of a convolution: what each window covers, as a column a window. The decompose pass spells
 * them with scattering, sampling and convolution.
 */

/** Image, block, and where the blocks lie in the image, for which spatial sizes have to be known. */
export function blocksOf(node: Node): Windows & { image: readonly number[]; block: readonly number[] } {
  const image = numbersOf(node, 1, 'image_shape') ?? []
  const block = numbersOf(node, 2, 'block_shape') ?? []
  if (!image.length || image.length !== block.length)
    throw refuse(
      node,
      `has an image of ${image.length} axes and blocks of ${block.length}; as many of each are allowed`
    )
  if (![...image, ...block].every(size => size >= 1))
    throw refuse(node, `has an image of [${image}] and blocks of [${block}]; sizes of at least 1 are allowed`)
  return { image, block, ...windows(node, image, block) }
}

const col2im: Op = {
  required: 3,
  infer(node) {
    const x = node.inputs[0]!
    const { image, block, out } = blocksOf(node)
    const [taps, count] = [product(block) as number, product(out)]
    const rows = x.shape[1]
    const fits = x.rank === 3 && (typeof rows !== 'number' || rows % taps === 0) && node.expectEqual(x.shape[2], count)
    if (!fits)
      throw refuse(
        node,
        `takes columns N×C·${taps}×${show(count)} for blocks of [${block}] in an image of [${image}], not ${describe(x)}`
      )
    if (typeof rows !== 'number') throw refuse(node, `needs to know the rows of ${describe(x)}`)
    node.output.shape = [x.shape[0], rows / taps, ...image]
    node.output.dtype = x.dtype
  }
}

export interface Deformed extends Windows {
  readonly kernel: readonly number[]
  readonly groups: number
  /** Groups of channels of which each has offsets of its own. */
  readonly offsets: number
}

export function deformed(node: Node): Deformed {
  const [x, w] = node.inputs as Value[]
  const kernel = w.shape.slice(2)
  const given = node.list('kernel_shape')
  const known = kernel.every((size): size is number => typeof size === 'number')
  if (x.rank !== 4 || w.rank !== 4 || !known)
    throw refuse(node, `takes images N×C×H×W and filters of four known sizes, not ${describe(x)} and ${describe(w)}`)
  if (given && given.join() !== kernel.join())
    throw refuse(node, `kernel_shape is [${given}], that of the filters [${kernel}]`)
  const [groups, offsets] = [node.number('group', 1), node.number('offset_group', 1)]
  return { kernel: kernel as number[], groups, offsets, ...windows(node, x.shape.slice(2), kernel as number[]) }
}

const deformConv: Op = {
  required: 3,
  infer(node) {
    const [x, w, offset, bias, mask] = node.inputs as [Value, Value, Value, Value?, Value?]
    const { kernel, out, groups, offsets } = deformed(node)
    const [channels, filters] = [x.shape[1], w.shape[0]]
    const divides = (size: Dim, parts: number) => typeof size === 'number' && parts >= 1 && size % parts === 0
    if (!divides(channels, groups) || !divides(filters, groups) || !divides(channels, offsets))
      throw refuse(node, `cannot divide ${describe(x)} into ${groups} groups and ${offsets} of offsets`)
    if (w.shape[1] !== (channels as number) / groups)
      throw refuse(node, `filters ${describe(w)} do not fit ${describe(x)} in ${groups} groups`)
    const taps = kernel[0] * kernel[1]
    const check = (value: Value, wanted: readonly Dim[], what: string) => {
      if (value.rank !== wanted.length || !wanted.every((size, axis) => node.expectEqual(size, value.shape[axis])))
        throw refuse(node, `${what} ${describe(value)} must have the shape ${wanted.map(show).join('×')}`)
    }
    check(offset, [x.shape[0], 2 * taps * offsets, ...out], 'offsets')
    if (bias) check(bias, [filters], 'bias')
    if (mask) check(mask, [x.shape[0], taps * offsets, ...out], 'mask')
    node.output.shape = [x.shape[0], filters, ...out]
    node.output.dtype = x.dtype
  }
}

export const columns: Record<string, Op> = { Col2Im: col2im, DeformConv: deformConv }
