import { alignedImages } from '../dense/dense.js'
import { type Block, ceil, each, product, type Shader } from '../dispatch.js'

/** A workgroup for each of `count` pieces of the result. */
const gradient = (entry: string, vector: (p: Block) => boolean, count: (p: Block) => number): Shader => ({
  block: 'ConvGradient',
  dispatches: p => [
    {
      files: ['index', 'tree', 'together', 'conv-gradient'],
      entry,
      vector: vector(p) && p.dyAt % 4 === 0,
      groups: each(product(p.kernelD, p.kernelH, p.kernelW, count(p)))
    }
  ]
})

export const convGradient = gradient(
  'convGradient',
  p => alignedImages(p, p.channels, p.filters, []),
  p => product(p.groups, ceil(p.channels, 4), ceil(p.filters, 4))
)

export const depthwiseGradient = gradient(
  'depthwiseGradient',
  p => alignedImages(p, p.groups, p.groups, []),
  p => ceil(p.groups, 4)
)
