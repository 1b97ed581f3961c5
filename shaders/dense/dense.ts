import { aligned, type Block, ceil, type Dispatch, list, product, type Shader } from '../dispatch.js'
import { tiled } from './product.js'

/** What modules need that end in bias, residual and activation. */
const finishing = ['activation', 'epilogue']

/** Of activations where a model computes its weights. */
const vectors = ['bias', 'slope']

/** Rows up to which a workgroup for each panel of each row is better than tiles. */
const fewRows = 2

export const gemm: Shader = {
  block: 'Gemm',
  halves: 'w',
  either: vectors,
  byColumn: ['bias', 'slope', 'r', 'y'],
  dispatches(p) {
    const dense = aligned(p.xAt, p.xRow, p.inner, p.yAt, p.yRow, p.columns, p.wAt, p.biasAt, p.slopeAt)
    const vector = dense && (!p.residual || aligned(p.rAt, p.rRow))
    if (p.rows > fewRows) return [tiled(p.rows, p.columns, 1, [...finishing, 'gemm', 'panels', 'floats'], vector)]
    return [
      {
        files: ['weights', ...finishing, 'gemm'],
        entry: 'rowTimesPanel',
        vector,
        groups: [ceil(p.columns, 8), p.rows, 1]
      }
    ]
  }
}

export const matmul: Shader = {
  block: 'Matmul',
  either: ['x', 'w'],
  dispatches(p) {
    return [tiled(p.rows, p.columns, p.d0 * p.d1, ['activation', 'matmul', 'floats'], false)]
  }
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
export function imageProduct(p: Block, files: readonly string[], vector: boolean): Dispatch {
  const LINEAR = Number(p.channels < 8 || p.runs === 1)
  const pixels = product(p.batch, p.outD, p.outH, p.outW)
  return tiled(pixels, p.filters, p.groups, [...files, 'conv-product'], vector && !LINEAR, undefined, { LINEAR })
}

/** Fewer filters of a group than these would leave most of a tile empty. */
const fewFilters = 16

export const conv: Shader = {
  block: 'Conv',
  halves: 'w',
  either: vectors,
  dispatches(p) {
    const vector = alignedImages(p, p.channels, p.filters)
    if (p.groups > 1 && p.filters < fewFilters) return [direct(p, 'grouped', vector)]
    return [imageProduct(p, images, vector)]
  }
}

function direct(p: Block, entry: string, vector: boolean): Dispatch {
  return {
    files: ['index', 'weights', ...images, 'conv-direct'],
    entry,
    vector,
    groups: list(product(p.batch, p.outD, p.outH, p.outW, p.groups, ceil(p.filters, 4)))
  }
}

export const convTranspose: Shader = {
  block: 'Conv',
  halves: 'w',
  either: vectors,
  dispatches: p => [direct(p, 'convTranspose', alignedImages(p, p.channels, p.filters))]
}

export const depthwise: Shader = {
  block: 'Conv',
  halves: 'w',
  either: vectors,
  dispatches(p) {
    const vector = alignedImages(p, p.groups, p.groups)
    const groups = list(product(p.batch, p.outH, ceil(p.outW, 4), ceil(p.groups, 4)))
    return [{ ...direct(p, 'depthwise', vector), groups }]
  }
}
