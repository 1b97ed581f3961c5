import { same } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import type { Node, Value } from '../../graph/index.js'
import { channelsLastOrder, describe, fields, kernel, numbered, type Op, type View } from '../op.js'

/** The positions in this list are the kernel's `mode`. */
export const roiModes = ['avg', 'max']

/** More samples along a side of a bin are taken for a region without a size. */
const mostSamples = 4096

/**
 * Regions of images, each cut into m0 × m1 bins of which samples between pixels are averaged, or the largest of their
 * weighted pixels taken; as ONNX has it, these are not added up first. n are the sizes of the images. `half` shifts
 * regions by half a pixel; without, none is smaller than a pixel. A `ratio` of 0 samples about every pixel.
 */
export const roiAlignKernel = kernel({
  name: 'roiAlign',
  fields: {
    mode: 'u32',
    half: 'u32',
    ratio: 'u32',
    scale: 'f32',
    images: 'u32',
    regions: 'u32',
    channels: 'u32',
    ...fields('n', 2),
    ...fields('m', 2),
    ...fields('x', 3),
    ...fields('r', 2),
    i0: 'u32',
    ...fields('y', 3)
  },
  buffers: { x: 'read', rois: 'read', images: 'read', y: 'write' },
  reference(p, { x, rois, images, y }) {
    for (let region = 0; region < p.regions; region++) {
      const image = Math.min(Math.max(Math.trunc(images[region * p.i0]) || 0, 0), p.images - 1) * p.x0
      const corner = (i: number) => rois[region * p.r0 + i * p.r1]
      const rows = binsOf(p, corner(1), corner(3), p.m0, p.n0)
      const columns = binsOf(p, corner(0), corner(2), p.m1, p.n1)
      rows.forEach((down, i) => {
        columns.forEach((along, j) => {
          for (let c = 0; c < p.channels; c++) {
            const parts = down.map(row =>
              along.map(column =>
                row.flatMap(r => column.map(k => r.weight * k.weight * x[image + r.at * p.x1 + k.at * p.x2 + c]))
              )
            )
            const samples = parts.flat()
            const sum = samples.flat().reduce((a, b) => a + b, 0)
            const largest = samples.map(sample => (sample.length ? Math.max(...sample) : 0))
            const result = p.mode ? (samples.length ? Math.max(...largest) : 0) : sum / Math.max(samples.length, 1)
            y[region * p.y0 + i * p.y1 + j * p.y2 + c] = result
          }
        })
      })
    }
  }
})

interface Tap {
  readonly at: number
  readonly weight: number
}

/** The samples of every bin along an axis of `size` pixels, each the pixels around it; none of what is outside. */
function binsOf(
  p: Readonly<Record<'half' | 'ratio' | 'scale', number>>,
  from: number,
  to: number,
  bins: number,
  size: number
): Tap[][][] {
  // Rounded as onnxruntime rounds, so that as many samples are taken.
  const { fround } = Math
  const shift = p.half ? 0.5 : 0
  const begin = fround(fround(from * p.scale) - shift)
  const length = fround(fround(fround(to * p.scale) - shift) - begin)
  const extent = p.half ? length : Math.max(length, 1)
  const wanted = p.ratio || Math.ceil(fround(extent / bins))
  const samples = wanted > 0 && wanted <= mostSamples ? wanted : 0
  return Array.from({ length: bins }, (_, bin) =>
    Array.from({ length: samples }, (_, i) => tapsOf(begin + (bin + (i + 0.5) / samples) * (extent / bins), size))
  )
}

function tapsOf(at: number, size: number): Tap[] {
  if (!(at >= -1 && at <= size)) return []
  const inside = Math.min(Math.max(at, 0), size - 1)
  const low = Math.floor(inside)
  return [
    { at: low, weight: 1 - (inside - low) },
    { at: Math.min(low + 1, size - 1), weight: inside - low }
  ]
}

function settingsOf(node: Node) {
  const mode = roiModes.indexOf(node.text('mode', 'avg'))
  if (mode < 0) throw refuse(node, `mode is ${node.text('mode', 'avg')}; ${roiModes.join(', ')} are allowed`)
  const coordinates = node.text('coordinate_transformation_mode', 'half_pixel')
  if (coordinates !== 'half_pixel' && coordinates !== 'output_half_pixel')
    throw refuse(node, `coordinate_transformation_mode is ${coordinates}; half_pixel and output_half_pixel are allowed`)
  const ratio = node.number('sampling_ratio', 0)
  if (!(ratio >= 0 && ratio <= mostSamples))
    throw refuse(node, `sampling_ratio is ${ratio}; 0 to ${mostSamples} are allowed`)
  return {
    mode,
    half: coordinates === 'half_pixel' ? 1 : 0,
    ratio,
    scale: node.number('spatial_scale', 1)
  }
}

const roiAlign: Op = {
  required: 3,
  infer(node) {
    const [x, rois, images] = node.inputs as Value[]
    settingsOf(node)
    const fits =
      x.rank === 4 &&
      rois.rank === 2 &&
      rois.shape[1] === 4 &&
      images.rank === 1 &&
      node.expectEqual(images.shape[0], rois.shape[0])
    if (!fits)
      throw refuse(
        node,
        `takes images [N×C×H×W], regions [R×4] and their images [R], not ${[x, rois, images].map(describe).join(', ')}`
      )
    const [height, width] = [node.number('output_height', 1), node.number('output_width', 1)]
    node.output.shape = [rois.shape[0], x.shape[1], height, width]
    node.output.dtype = x.dtype
  },
  layout: 'channelsLast',
  countedAxis: (_, index, axis) => (index > 0 && axis === 0 ? 0 : undefined),
  // What stands there might ask for samples without end.
  behind: (_, index, axis) => (index > 0 && axis === 0 ? 0 : undefined),
  lower(node, to) {
    const given = to.view(node.inputs[0]!)
    // A constant lies as the model has it.
    const channelsInside = same(given.strides[1], 1) || given.shape[1] === 1
    const x = channelsInside ? given : to.dense(node.inputs[0]!, channelsLastOrder(4))
    const [rois, images] = node.inputs.slice(1, 3).map(input => to.view(input!))
    const y = to.view(node.output)
    const pixels = ({ strides }: View) => [strides[0], strides[2], strides[3]]
    to.call(
      roiAlignKernel,
      {
        ...settingsOf(node),
        images: x.shape[0],
        regions: y.shape[0],
        channels: y.shape[1],
        ...numbered('n', x.shape.slice(2)),
        ...numbered('m', y.shape.slice(2)),
        ...numbered('x', pixels(x)),
        ...numbered('r', rois.strides),
        i0: images.strides[0],
        ...numbered('y', pixels(y))
      },
      { x, rois, images, y }
    )
  }
}

export const regions: Record<string, Op> = { RoiAlign: roiAlign }
