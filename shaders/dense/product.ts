import { ceil, type Dispatch, product } from '../dispatch.js'

interface Tile {
  readonly THREADS_X: number
  readonly THREADS_Y: number
}

/** Invocations of a product's workgroup, each for four rows and columns. */
const largeTile: Tile = { THREADS_X: 16, THREADS_Y: 16 }
const usualTile: Tile = { THREADS_X: 8, THREADS_Y: 8 }
export const flatTile: Tile = { THREADS_X: 16, THREADS_Y: 4 }

/** With fewer workgroups than this, smaller ones keep more of a GPU busy. */
const fewGroups = 128

/** `parts` products of `rows` by `columns`, whose hooks are in `files`; on `given` tiles, or those that fit the shape. */
export function tiled(
  rows: number,
  columns: number,
  parts: number,
  files: readonly string[],
  vector: boolean,
  given?: Tile,
  constants: Readonly<Record<string, number>> = {}
): Dispatch {
  const groupsOf = ({ THREADS_X, THREADS_Y }: Tile): [number, number, number] => [
    ceil(rows, 4 * THREADS_Y),
    ceil(columns, 4 * THREADS_X),
    parts
  ]
  const padded = ({ THREADS_X }: Tile) => ceil(columns, 4 * THREADS_X) * THREADS_X
  const large = product(...groupsOf(largeTile)) >= fewGroups && padded(largeTile) === padded(usualTile)
  const tile = given ?? (rows <= 16 ? flatTile : large ? largeTile : usualTile)
  return {
    files: ['weights', ...files, 'product'],
    entry: 'product',
    constants: { ...tile, ...constants },
    vector,
    groups: groupsOf(tile)
  }
}
