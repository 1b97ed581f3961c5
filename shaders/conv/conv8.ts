import { ofBytes, tiled8 } from '../dense/bytes/gemm8.js'
import { alignedImages } from '../dense/dense.js'
import { ceil, list, product, type Shader } from '../dispatch.js'

function windowed(block: string, file: string, ends?: readonly string[]): Shader {
  return {
    block,
    bytes: 'w',
    dispatches(p) {
      const pixels = product(p.batch, p.outD, p.outH, p.outW)
      const vector = alignedImages(p, p.channels, p.filters, [])
      return [tiled8(pixels, p.filters, p.groups, [file, 'windows8', 'pixel'], vector, ends)]
    }
  }
}

export const conv8 = windowed('Conv8', 'conv8')
export const conv32 = windowed('Conv32', 'conv32', ['bytes'])

export const depthwise8: Shader = {
  block: 'Depthwise8',
  bytes: 'w',
  dispatches: p => [
    {
      files: ['index', 'weights', ...ofBytes, 'pixel', 'depthwise8'],
      entry: 'depthwise8',
      vector: alignedImages(p, p.groups, p.groups, []),
      groups: list(product(p.batch, p.outH, p.outW, ceil(p.groups, 4)))
    }
  ]
}
