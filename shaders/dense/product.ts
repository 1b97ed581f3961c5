import { ceil, type Dispatch, product } from '../dispatch.js'

/** What a product is made of: `parts` products of rows with columns, over so many steps of 16 along the sum. */
export interface Sizes {
  readonly rows: number
  readonly columns: number
  readonly parts: number
  readonly steps: number
}

interface Tile {
  /** Rows, and quads of columns, of an invocation. */
  readonly ROWS: number
  readonly QUADS: number
  readonly THREADS_X: number
  readonly THREADS_Y: number
}

const tileOf = (ROWS: number, QUADS: number, THREADS_X: number, THREADS_Y: number): Tile => ({
  ROWS,
  QUADS,
  THREADS_X,
  THREADS_Y
})

/** Those that there is a choice of; the more an invocation makes, the more use of each load. 13 fits squares of 7 and 14. */
const tiles: readonly Tile[] = [
  tileOf(8, 2, 8, 8),
  tileOf(8, 2, 8, 16),
  tileOf(8, 2, 8, 13),
  tileOf(8, 1, 4, 16),
  tileOf(4, 1, 8, 8),
  tileOf(4, 1, 16, 4)
]

/** Workgroups that a sum may be divided among. */
const splits = [1, 2, 3, 4, 6, 8, 12, 16]
/** Each of them has so many steps, and all together no more shares of sums than this. */
const fewestSteps = 4
const mostShares = 2 ** 20

/**
 * The machines that tiles are chosen for, in clock cycles: a GPU of a data centre and a laptop's. Processors make 128
 * multiply-adds a cycle, of which smaller tiles than 8 by 8 reach a part, because they wait for workgroup memory; a step waits for its
 * loads where a processor has nothing else to do, and the first of two dispatches is waited for.
 */
const machines = [
  { processors: 132, bytesPerCycle: 2048 },
  { processors: 10, bytesPerCycle: 32 }
] as const
const perCycle = 128
const waiting = 300
const launching = 3000
/** Cycles of multiply-adds from which on no more than a few processors are to be without a workgroup: the first machine's for 5 µs. */
const short = 9900
const nearlyAll = 0.95
/** Shares are written and read, and count double, because nothing else is done between the one and the other. */
const sharedTwice = 4

interface Plan {
  readonly tile: Tile
  readonly split: number
}

const groupsOf = ({ rows, columns, parts }: Sizes, { ROWS, QUADS, THREADS_X, THREADS_Y }: Tile, split: number) =>
  [ceil(rows, ROWS * THREADS_Y), ceil(columns, 4 * QUADS * THREADS_X), parts * split] as const

/** The product of what the machines take. */
function costOf(sizes: Sizes, tile: Tile, split: number): number {
  const { rows, columns, parts, steps } = sizes
  const { ROWS, QUADS, THREADS_X, THREADS_Y } = tile
  const [down, across, deep] = groupsOf(sizes, tile, split)
  const own = ceil(steps, split)
  const reached = (ROWS * QUADS) / (ROWS * QUADS + 4)
  const step = (16 * ROWS * THREADS_Y * 4 * QUADS * THREADS_X) / perCycle / reached
  const shares = split > 1 ? sharedTwice * split : 0
  const moved = 4 * parts * (16 * steps * (rows * across + columns * down) + rows * columns * (1 + shares))
  const cycles = machines.map(({ processors, bytesPerCycle }) => {
    const turns = ceil(down * across * deep, processors)
    const starved = down * across * deep < processors * nearlyAll && own * step * reached > short
    const arithmetic = own * Math.max(turns * step, step + waiting) * (starved ? 2 : 1)
    return arithmetic + moved / bytesPerCycle + (split > 1 ? launching : 0)
  })
  return product(...cycles)
}

/** The tile and the division that the machines above would be fastest with. */
function planOf(sizes: Sizes, mayDivide: boolean): Plan {
  const shares = sizes.rows * sizes.columns * sizes.parts
  const allowed = mayDivide
    ? splits.filter(split => split === 1 || (sizes.steps >= split * fewestSteps && split * shares <= mostShares))
    : [1]
  let best: Plan = { tile: tiles[0], split: 1 }
  let least = Number.POSITIVE_INFINITY
  for (const tile of tiles)
    for (const split of allowed) {
      const cost = costOf(sizes, tile, split)
      if (cost < least) [best, least] = [{ tile, split }, cost]
    }
  return best
}

/** Rows of an invocation that joins shares (product.wgsl). */
const joined = 4

/** Elements of scratch memory for shares of sums, of which halves take two for each. */
export function sharesOf(sizes: Sizes, imitated = false): number {
  const { split } = planOf(sizes, true)
  return inLanes(sizes, imitated) || split === 1
    ? 0
    : 2 * split * product(sizes.rows, ceil(sizes.columns, 4) * 4, sizes.parts)
}

/** Rows and columns that a workgroup of laneProduct (product.wgsl) makes. */
const laneRows = 64
const laneColumns = 8

/** Workgroups that every device dispatches in one direction. */
const mostGroups = 65535

/** Whether a program on the CPU is to make a product in lanes; tiles have more rows. */
const inLanes = ({ rows }: Sizes, imitated: boolean) => imitated && rows <= laneRows * mostGroups

export interface Tiling {
  readonly constants?: Readonly<Record<string, number>>
  readonly mayDivide?: boolean
  readonly imitated?: boolean
}

/** Products whose hooks are in `files`, on tiles that fit their sizes. */
export function tiled(
  sizes: Sizes,
  files: readonly string[],
  vector: boolean,
  { constants, mayDivide = true, imitated = false }: Tiling = {}
): Dispatch[] {
  const all = ['index', 'weights', ...files, 'product']
  if (inLanes(sizes, imitated)) {
    const { rows, columns, parts } = sizes
    const groups = [ceil(rows, laneRows), ceil(columns, laneColumns), parts] as const
    return [{ files: all, entry: 'laneProduct', constants, vector, groups }]
  }
  const { tile, split } = planOf(sizes, mayDivide)
  const making: Dispatch = {
    files: all,
    entry: 'product',
    constants: { ...tile, ...constants },
    vector,
    groups: [...groupsOf(sizes, tile, split)]
  }
  if (split === 1) return [making]
  const quads = ceil(sizes.rows, joined) * ceil(sizes.columns, 4)
  return [making, { files: all, entry: 'joinSums', vector, groups: [ceil(quads, 64 * split), split, sizes.parts] }]
}
