import { aligned, type Block, ceil, common, type Dispatch, list, product, type Shader } from './dispatch.js'
import { tiled } from './product.js'

/** F(m x m, k x k) in three dispatches, through scratch memory. */
export function winograd(M: 2 | 4, K: 3 | 5): Shader {
  const points = (M + K - 1) ** 2
  const tilesOf = (p: Block) => product(p.batch, ceil(p.outH, M), ceil(p.outW, M))
  const transform = (entry: string, count: number): Dispatch => ({
    files: ['index', ...common, 'epilogue', 'winograd', 'winograd-transform'],
    entry,
    constants: { M, K },
    vector: false,
    groups: list(count)
  })
  return {
    block: 'Winograd',
    scratch: p => points * tilesOf(p) * (p.channels + p.filters),
    dispatches(p) {
      const tiles = tilesOf(p)
      const vector = aligned(p.channels, p.filters, p.scratchAt)
      const products = tiled(tiles, p.filters, points, ['winograd', 'winograd-product'], vector, { M, K })
      return [
        transform('scatterInputs', tiles * p.channels),
        { ...products, derived: true },
        transform('gatherOutputs', tiles * p.filters)
      ]
    }
  }
}

/** Makes the filters of Winograd convolutions, when a model is loaded. */
export const winogradFilters: Shader = {
  block: 'WinogradFilters',
  halves: 'w',
  dispatches(p) {
    const count = product(p.groups, (p.size + p.kernel - 1) ** 2, ceil(p.filters, 8), p.channels, 8)
    const files = ['index', 'weights', 'winograd-filters']
    return [{ files, entry: 'winogradFilters', vector: false, groups: list(count) }]
  }
}
