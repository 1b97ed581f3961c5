import { tiled } from '../../dense/product.js'
import { aligned, type Block, ceil, common, type Dispatch, list, product, type Shader } from '../../dispatch.js'

/** Outputs a side of a tile, and the points that a tile's inputs become. */
const side = 4
const points = 36

const tilesOf = (p: Block) => product(p.batch, ceil(p.outH, side), ceil(p.outW, side))

const transform = (entry: string, count: number): Dispatch => ({
  files: ['index', ...common, 'epilogue', 'winograd', 'winograd-transform'],
  entry,
  vector: false,
  groups: list(count)
})

/** F(4 x 4, 3 x 3) in three dispatches, through scratch memory. */
export const winograd4: Shader = {
  block: 'Winograd',
  halves: 'w',
  either: ['bias', 'slope'],
  scratch: p => points * tilesOf(p) * (p.channels + p.filters),
  dispatches(p, imitated) {
    const tiles = tilesOf(p)
    const vector = aligned(p.channels, p.filters, p.scratchAt)
    const files = ['winograd', 'winograd-product', 'panels', 'floats']
    const sizes = { rows: tiles, columns: p.filters, parts: points, steps: ceil(p.channels, 16) }
    const [products] = tiled(sizes, files, vector, { mayDivide: false, imitated })
    return [
      transform('scatterInputs', tiles * p.channels),
      { ...products, derived: true },
      transform('gatherOutputs', tiles * p.filters)
    ]
  }
}

/** Makes the filters of Winograd convolutions, when a model is loaded. */
export const winogradFilters: Shader = {
  block: 'WinogradFilters',
  halves: 'w',
  dispatches(p) {
    const count = product(points, ceil(p.filters, 8), p.channels, 8)
    const files = ['index', 'weights', 'winograd-filters']
    return [{ files, entry: 'winogradFilters', vector: false, groups: list(count) }]
  }
}
