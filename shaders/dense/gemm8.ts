import { aligned, list, type Shader } from '../dispatch.js'
import { sizesOfGemm } from './dense.js'
import { tiled } from './product.js'

/** What layers of bytes need besides hooks of their own. */
export const ofBytes = ['steps', 'requantise', 'bytes']

export const gemm8: Shader = {
  block: 'Gemm8',
  dispatches(p) {
    const vector = aligned(p.xAt, p.xRow, p.inner, p.yAt, p.yRow, p.columns)
    return tiled(sizesOfGemm(p), [...ofBytes, 'gemm8', 'panels'], vector)
  }
}

export const sums8: Shader = {
  block: 'Sums8',
  dispatches: p => [{ files: ['index', 'weights', 'sums8'], entry: 'sums8', vector: false, groups: list(p.panels * 8) }]
}
