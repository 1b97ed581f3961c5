/**
 * How each kernel runs on a GPU: which shader modules, with which constants, in how many workgroups. Parameters come as a
 * block by field name: the kernel's own fields and, for each buffer, `<name>At`, its address in elements.
 */
export type Block = Readonly<Record<string, number>>

export interface Dispatch {
  /** Files of the module behind the arena's, in order, and the entry point. */
  readonly files: readonly string[]
  readonly entry: string
  /** Override constants of the pipeline; switches are 0 and 1. */
  readonly constants?: Readonly<Record<string, number>>
  /** Whether everything that the module loads and stores is aligned to four elements. */
  readonly vector: boolean
  readonly groups: readonly [x: number, y: number, z: number]
}

export interface Shader {
  /** The WGSL struct of the parameter block. */
  readonly block: string
  /** The buffer that may be constants in half precision. */
  readonly halves?: string
  /** Buffers that may be constants or activations: their addresses say which. */
  readonly either?: readonly string[]
  /** Elements of scratch memory that the kernel needs here; none by default. */
  scratch?(p: Block): number
  dispatches(p: Block): Dispatch[]
}

/** The most workgroups in one dimension on every device. */
const widest = 65535

const ceil = (count: number, size: number) => Math.ceil(count / size)

/** Workgroups of 64 for a list of `count` invocations, folded into two dimensions where one is too short. */
function list(count: number): [number, number, number] {
  const groups = Math.max(ceil(count, 64), 1)
  const rows = ceil(groups, widest)
  return [ceil(groups, rows), rows, 1]
}

const product = (...sizes: number[]) => sizes.reduce((a, b) => a * b, 1)

/** Whether all are multiples of four, as addresses, distances and counts of vectors have to be. */
const aligned = (...values: number[]) => values.every(value => value % 4 === 0)

const named = (p: Block, prefix: string, count: number) => Array.from({ length: count }, (_, i) => p[prefix + i])

const common = ['weights', 'activation']

/** A kernel of six loops whose operands are `x` … and whose output is `y`, four elements at a time where that works. */
function elementwise(block: string, entry: string, operands: readonly string[]): Shader {
  return {
    block,
    either: operands,
    dispatches(p) {
      const count = product(...named(p, 'd', 6))
      const quads = (name: string) =>
        (p[`${name}5`] === 1 || (p[`${name}5`] === 0 && name !== 'y')) &&
        (p[`${name}5`] === 0 || aligned(p[`${name}At`], ...named(p, name, 5)))
      const vector = p.d5 % 4 === 0 && [...operands, 'y'].every(quads)
      return [
        {
          files: ['index', ...common, 'elementwise'],
          entry: vector ? `${entry}4` : entry,
          vector,
          groups: list(vector ? count / 4 : count)
        }
      ]
    }
  }
}

interface Tile {
  readonly THREADS_X: number
  readonly THREADS_Y: number
}

/** Invocations of a product's workgroup, each for four rows and columns. */
const largeTile: Tile = { THREADS_X: 16, THREADS_Y: 16 }
const usualTile: Tile = { THREADS_X: 8, THREADS_Y: 8 }
const flatTile: Tile = { THREADS_X: 16, THREADS_Y: 4 }

/** With fewer workgroups than this, smaller ones keep more of a GPU busy. */
const fewGroups = 128

function tiled(rows: number, columns: number, parts: number, files: readonly string[], vector: boolean, constants = {}) {
  const groupsOf = ({ THREADS_X, THREADS_Y }: Tile): [number, number, number] => [
    ceil(rows, 4 * THREADS_Y),
    ceil(columns, 4 * THREADS_X),
    parts
  ]
  const large = product(...groupsOf(largeTile)) >= fewGroups && columns > 32
  const tile = rows <= 16 ? flatTile : large ? largeTile : usualTile
  return {
    files: [...common, 'epilogue', ...files, 'product'],
    entry: 'product',
    constants: { ...tile, ...constants },
    vector,
    groups: groupsOf(tile)
  }
}

/** Rows up to which a workgroup for each panel of each row is better than tiles. */
const fewRows = 2

const gemm: Shader = {
  block: 'Gemm',
  halves: 'w',
  dispatches(p) {
    const dense = aligned(p.xAt, p.xRow, p.inner, p.yAt, p.yRow, p.columns)
    const vector = dense && (!p.residual || aligned(p.rAt, p.rRow))
    if (p.rows > fewRows) return [tiled(p.rows, p.columns, 1, ['gemm'], vector)]
    return [
      {
        files: [...common, 'epilogue', 'gemm'],
        entry: 'rowTimesPanel',
        vector,
        groups: [ceil(p.columns, 8), p.rows, 1]
      }
    ]
  }
}

const matmul: Shader = {
  block: 'Matmul',
  either: ['x', 'w'],
  dispatches(p) {
    return [tiled(p.rows, p.columns, p.d0 * p.d1, ['matmul'], false)]
  }
}

/** Whether input, output and residual of a convolution are aligned to four channels. */
function alignedImages(p: Block, channels: number, filters: number): boolean {
  const steps = (name: string) => [p[`${name}At`], p[`${name}N`], p[`${name}D`], p[`${name}H`], p[`${name}W`]]
  return aligned(channels, filters, ...steps('x'), ...steps('y'), ...(p.residual ? steps('r') : []))
}

/** Fewer channels or filters of a group than these would leave most of a tile empty. */
const fewChannels = 8
const fewFilters = 16

const conv: Shader = {
  block: 'Conv',
  halves: 'w',
  dispatches(p) {
    const vector = alignedImages(p, p.channels, p.filters)
    const pixels = product(p.batch, p.outD, p.outH, p.outW)
    if (p.groups > 1 && p.filters < fewFilters) return [direct(p, 'grouped', vector)]
    const LINEAR = Number(p.channels < fewChannels)
    return [tiled(pixels, p.filters, p.groups, ['conv', 'conv-product'], vector && !LINEAR, { LINEAR })]
  }
}

function direct(p: Block, entry: string, vector: boolean): Dispatch {
  return {
    files: ['index', ...common, 'epilogue', 'conv', 'conv-direct'],
    entry,
    vector,
    groups: list(product(p.batch, p.outD, p.outH, p.outW, p.groups, ceil(p.filters, 4)))
  }
}

const convTranspose: Shader = {
  block: 'Conv',
  halves: 'w',
  dispatches: p => [direct(p, 'convTranspose', alignedImages(p, p.channels, p.filters))]
}

const depthwise: Shader = {
  block: 'Conv',
  halves: 'w',
  dispatches(p) {
    const vector = alignedImages(p, p.groups, p.groups)
    const groups = list(product(p.batch, p.outH, ceil(p.outW, 4), ceil(p.groups, 4)))
    return [{ ...direct(p, 'depthwise', vector), groups }]
  }
}

/** By the names that programs call kernels by. */
export const shaders: Readonly<Record<string, Shader>> = {
  unary: elementwise('Unary', 'unary', ['x']),
  gemm,
  gemmPacked: gemm,
  gemmHalf: gemm,
  matmul,
  conv,
  convTranspose,
  depthwise
}
