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
    if (p.rows > fewRows) return [tiled(p.rows, p.columns, 1, [...finishing, 'gemm', 'panels'], vector)]
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
    return [tiled(p.rows, p.columns, p.d0 * p.d1, ['activation', 'matmul'], false)]
  }
}

/** Whether input, output and residual of a convolution are aligned to four channels. */
function alignedImages(p: Block, channels: number, filters: number): boolean {
  const steps = (name: string) => [p[`${name}At`], p[`${name}N`], p[`${name}D`], p[`${name}H`], p[`${name}W`]]
  const weights = [p.wAt, p.biasAt, p.slopeAt]
  return aligned(channels, filters, ...weights, ...steps('x'), ...steps('y'), ...(p.residual ? steps('r') : []))
}

/** Fewer channels or filters of a group than these would leave most of a tile empty. */
const fewChannels = 8
const fewFilters = 16

export const conv: Shader = {
  block: 'Conv',
  halves: 'w',
  either: vectors,
  dispatches(p) {
    const vector = alignedImages(p, p.channels, p.filters)
    const pixels = product(p.batch, p.outD, p.outH, p.outW)
    if (p.groups > 1 && p.filters < fewFilters) return [direct(p, 'grouped', vector)]
    const LINEAR = Number(p.channels < fewChannels)
    return [
      tiled(pixels, p.filters, p.groups, [...finishing, 'conv', 'conv-product'], vector && !LINEAR, undefined, {
        LINEAR
      })
    ]
  }
}

function direct(p: Block, entry: string, vector: boolean): Dispatch {
  return {
    files: ['index', 'weights', ...finishing, 'conv', 'conv-direct'],
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
