import { patchesOf } from '../conv/patches.js'
import { aligned, type Block, ceil, type Dispatch, each, list, product, type Shader } from '../dispatch.js'
import { type Sizes, sharesOf, tiled } from './product.js'

/** What modules need that end in bias, residual and activation. */
const finishing = ['activation', 'epilogue']

/** Of activations where a model computes its weights. */
const vectors = ['bias', 'slope']

/** Rows up to which a workgroup for each panel of each row is better than tiles. */
export const fewRows = 2

export const sizesOfGemm = ({ rows, columns, inner }: Block): Sizes => ({
  rows,
  columns,
  parts: 1,
  steps: ceil(inner, 16)
})

/** Tiles of a product of rows, whose elements go through something as they are loaded (gemm.wgsl). */
const productOfRows = (p: Block, vector: boolean, imitated?: boolean, LOADED_AS = 0) =>
  tiled(sizesOfGemm(p), [...finishing, 'gemm', 'panels', 'floats'], vector, { constants: { LOADED_AS }, imitated })

function alignedRows(p: Block): boolean {
  const dense = aligned(p.xAt, p.xRow, p.inner, p.yAt, p.yRow, p.columns, p.wAt, p.biasAt, p.slopeAt)
  return dense && (!p.residual || aligned(p.rAt, p.rRow))
}

export const gemm: Shader = {
  block: 'Gemm',
  added: ['gateAt', 'shiftAt'],
  halves: 'w',
  either: vectors,
  byColumn: ['bias', 'slope', 'r', 'y'],
  scratch: (p, imitated) => (p.rows > fewRows ? sharesOf(sizesOfGemm(p), imitated) : 0),
  dispatches(p, imitated) {
    const vector = alignedRows(p)
    if (p.rows > fewRows) return productOfRows(p, vector, imitated)
    return [
      {
        files: ['weights', ...finishing, 'gemm', 'tree', 'together', 'row-panel'],
        entry: 'rowTimesPanel',
        vector,
        groups: [ceil(p.columns, 8), p.rows, 1]
      }
    ]
  }
}

/** A product of more than `fewRows` rows, each element of which goes through something first. */
const loadedAs = (kind: number): Shader => ({
  ...gemm,
  dispatches: p => productOfRows(p, alignedRows(p) && aligned(p.gateAt), false, kind)
})

/** Elements are multiplied by their channels' factors, which a call before has made. */
export const gatedGemm = loadedAs(1)
/** Elements are multiplied by constants of their channels, others added, and what is below 0 is taken as 0. */
export const rectifiedGemm = loadedAs(2)

const sizesOfMatmul = (p: Block): Sizes => ({ ...sizesOfGemm(p), parts: p.d0 * p.d1 })

export const matmul: Shader = {
  block: 'Matmul',
  either: ['x', 'w'],
  scratch: p => sharesOf(sizesOfMatmul(p)),
  dispatches: p => tiled(sizesOfMatmul(p), ['activation', 'matmul', 'floats'], false)
}

const images = [...finishing, 'conv', 'pixel', 'floats']

/** Whether input, output and residual of a convolution are aligned to four channels, and its constants. */
export function alignedImages(
  p: Block,
  channels: number,
  filters: number,
  constants = ['w', 'bias', 'slope']
): boolean {
  const steps = (name: string) => ['At', 'N', 'D', 'H', 'W'].map(step => p[name + step])
  const read = constants.map(name => p[`${name}At`])
  return aligned(channels, filters, ...read, ...steps('x'), ...steps('y'), ...(p.residual ? steps('r') : []))
}

/** A convolution as a product for each group: all positions in one list where few channels would leave most of a tile empty, or where weights lie so. */
export function imageProduct(p: Block, files: readonly string[], vector: boolean, imitated?: boolean): Dispatch[] {
  const LINEAR = isLinear(p)
  return tiled(sizesOfImages(p), [...files, 'conv-product'], vector && !LINEAR, { constants: { LINEAR }, imitated })
}

const isLinear = (p: Block) => Number(p.channels < 8 || p.runs === 1)

function sizesOfImages(p: Block): Sizes {
  const taps = product(p.kernelD, p.kernelH, p.kernelW)
  return {
    rows: product(p.batch, p.outD, p.outH, p.outW),
    columns: p.filters,
    parts: p.groups,
    steps: isLinear(p) ? ceil(taps * p.channels, 16) : taps * ceil(p.channels, 16)
  }
}

export const conv: Shader = {
  block: 'Conv',
  halves: 'w',
  either: vectors,
  scratch: (p, imitated) => (patchesOf(p) ? 0 : sharesOf(sizesOfImages(p), imitated)),
  dispatches(p, imitated) {
    const vector = alignedImages(p, p.channels, p.filters)
    const patches = patchesOf(p)
    if (!patches) return imageProduct(p, images, vector, imitated)
    return [{ files: ['index', 'weights', ...images, 'patches'], entry: 'patches', vector, ...patches }]
  }
}

/** Workgroups above which an invocation makes two rows, and bytes of weights that a workgroup keeps. */
const manyGroups = 132
const mostKept = 9216

function windows(p: Block): Dispatch {
  const quads = ceil(p.groups, 4)
  const QUADS = quads > 4 ? 8 : quads > 2 ? 4 : quads
  const groupsOf = (rows: number) =>
    ceil(quads, QUADS) * ceil(product(p.batch, p.outD, ceil(p.outH, rows), ceil(p.outW, 4)), 64 / QUADS)
  const ROWS = groupsOf(2) >= manyGroups ? 2 : 1
  const weights = product(p.kernelD, p.kernelH, p.kernelW)
  const KEPT = weights * QUADS * 16 <= mostKept ? weights : 0
  return {
    files: ['index', 'weights', ...images, 'windows'],
    entry: 'windows',
    constants: { ROWS, QUADS, KEPT },
    vector: alignedImages(p, p.groups, p.groups),
    groups: each(groupsOf(ROWS))
  }
}

export const convTranspose: Shader = {
  block: 'Conv',
  halves: 'w',
  either: vectors,
  dispatches: p => [
    {
      files: ['index', 'weights', ...images, 'convtranspose'],
      entry: 'convTranspose',
      vector: alignedImages(p, p.channels, p.filters),
      groups: list(product(p.batch, p.outD, p.outH, p.outW, p.groups, ceil(p.filters, 4)))
    }
  ]
}

export const depthwise: Shader = {
  block: 'Conv',
  halves: 'w',
  either: vectors,
  dispatches: p => [windows(p)]
}
