import { aligned, ceil, type Dispatch, product, type Shader } from '../../dispatch.js'

/** What layers of bytes need besides hooks of their own. */
export const ofBytes: readonly string[] = ['steps', 'requantise', 'bytes', 'quads']

interface Tile {
  readonly THREADS_X: number
  readonly THREADS_Y: number
}

/** Invocations of a workgroup, each for four rows and columns. */
const largeTile: Tile = { THREADS_X: 16, THREADS_Y: 16 }
const usualTile: Tile = { THREADS_X: 8, THREADS_Y: 8 }
const flatTile: Tile = { THREADS_X: 16, THREADS_Y: 4 }

/** With fewer workgroups than this, smaller ones keep more of a GPU busy. */
const fewGroups = 128

/** `parts` products of bytes of `rows` by `columns`, whose hooks are in `files`, on tiles that fit the shape. */
export function tiled8(
  rows: number,
  columns: number,
  parts: number,
  files: readonly string[],
  vector: boolean,
  ends = ofBytes
): Dispatch {
  const groupsOf = ({ THREADS_X, THREADS_Y }: Tile): [number, number, number] => [
    ceil(rows, 4 * THREADS_Y),
    ceil(columns, 4 * THREADS_X),
    parts
  ]
  const padded = ({ THREADS_X }: Tile) => ceil(columns, 4 * THREADS_X) * THREADS_X
  const large = product(...groupsOf(largeTile)) >= fewGroups && padded(largeTile) === padded(usualTile)
  const tile = rows <= 16 ? flatTile : large ? largeTile : usualTile
  return {
    files: ['weights', ...ends, 'dots', ...files, 'product8'],
    entry: 'product8',
    constants: { ...tile },
    vector,
    groups: groupsOf(tile)
  }
}

export const gemm8: Shader = {
  block: 'Gemm8',
  bytes: 'w',
  dispatches(p) {
    const vector = aligned(p.xAt, p.xRow, p.inner, p.yAt, p.yRow, p.columns)
    return [tiled8(p.rows, p.columns, 1, ['gemm8'], vector)]
  }
}
