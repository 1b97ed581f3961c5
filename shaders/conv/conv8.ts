import { alignedImages, imageProduct } from '../dense/dense.js'
import { ofBytes } from '../dense/gemm8.js'
import { ceil, list, product, type Shader } from '../dispatch.js'

export const conv8: Shader = {
  block: 'Conv8',
  dispatches: p => imageProduct(p, [...ofBytes, 'conv8', 'pixel'], alignedImages(p, p.channels, p.filters, []))
}

export const depthwise8: Shader = {
  block: 'Depthwise8',
  dispatches: p => [
    {
      files: ['index', 'weights', ...ofBytes, 'pixel', 'depthwise8'],
      entry: 'depthwise8',
      vector: alignedImages(p, p.groups, p.groups, []),
      groups: list(product(p.batch, p.outH, p.outW, ceil(p.groups, 4)))
    }
  ]
}
