import { type Block, ceil, each, product } from '../dispatch.js'

/** How many workgroups of which kind make a convolution in patches of its input (patches.wgsl). */
export interface Patches {
  readonly constants: Readonly<Record<string, number>>
  readonly groups: readonly [x: number, y: number, z: number]
}

/** Workgroup memory, in vectors, and invocations of a workgroup that every device has. */
const room = 1024
const threads = 128
const WIDE = 8

/** More filters of a group fill a tile of products, fewer channels leave most of a vector empty, and more have steps of their own. */
const mostFilters = 32
const [fewestChannels, fewChannels] = [3, 8]
/** Fewer results are not worth pipelines of their own, which differ with kernel and stride. */
const fewestResults = 4096

/** What patches are chosen for: the processors that wait for a workgroup, and bytes that one moves while it makes a multiply-add. */
const processors = 132
const bytesAMultiplyAdd = 0.06

/** The patches that suit a convolution's sizes, if it has few filters a group or few channels. */
export function patchesOf(p: Block): Patches | undefined {
  const flat = p.kernelD === 1 && p.inD === 1 && p.outD === 1 && p.padD === 0
  const few = p.groups > 1 ? p.filters <= mostFilters : p.channels >= fewestChannels && p.channels < fewChannels
  const taps = p.kernelH * p.kernelW
  const many = product(p.batch, p.outH, p.outW, p.filters, p.groups) >= fewestResults
  if (!flat || !few || !many || (p.groups === 1 && taps === 1)) return undefined
  let best: Patches | undefined
  let least = Number.POSITIVE_INFINITY
  for (const [SIDE, QUADS] of sidesOf(p))
    for (const TALL of [16, 8, 4]) {
      const found = patchOf(p, TALL, SIDE, QUADS)
      if (!found) continue
      const { groups, SPAN } = found
      const count = product(...groups)
      const loaded = SPAN * SIDE * p.channels + taps * p.channels * QUADS * 4
      const sums = TALL * WIDE * QUADS * 4 * taps * ceil(p.channels, 4) * 4
      const cost = ceil(count, processors) * sums * bytesAMultiplyAdd * processors + count * loaded * 4
      if (cost < least) [best, least] = [found, cost]
    }
  return best
}

/** Groups side by side, and the quads of filters that they have together; of one group any quads. */
function sidesOf({ groups, filters }: Block): [number, number][] {
  const quads = ceil(filters, 4)
  if (groups === 1) return [16, 8, 4].map(most => [1, Math.min(quads, most)])
  return [16, 8, 4].map(most => {
    const side = Math.max(1, Math.min(groups, Math.floor(most / quads)))
    return [side, side * quads]
  })
}

function patchOf(p: Block, TALL: number, SIDE: number, QUADS: number): (Patches & { SPAN: number }) | undefined {
  const down = [32, 16, 8].find(size => QUADS * size <= threads / 2 && TALL * WIDE >= 2 * size) ?? 8
  const THREADS_Y = Math.max(down, TALL)
  const ROWS = (TALL * WIDE) / THREADS_Y
  const SPAN_H = (TALL - 1) * p.strideH + (p.kernelH - 1) * p.dilationH + 1
  const SPAN_W = (WIDE - 1) * p.strideW + (p.kernelW - 1) * p.dilationW + 1
  const SPAN = SPAN_H * SPAN_W
  if (QUADS * THREADS_Y > threads) return undefined
  for (const CHUNK of [4, 2, 1])
    for (const LINES of [p.kernelH, 1]) {
      const taken = SIDE * CHUNK * (SPAN | 1) + LINES * p.kernelW * CHUNK * 4 * QUADS
      if (CHUNK > ceil(p.channels, 4) || taken > room) continue
      const constants = { TALL, ROWS, QUADS, SIDE, CHUNK, LINES, KERNEL_W: p.kernelW, SPAN_H, SPAN_W }
      const [across, down] = each(p.batch * ceil(p.outH, TALL) * ceil(p.outW, WIDE))
      return { constants, groups: [across, ceil(p.groups * ceil(p.filters, 4), QUADS), down], SPAN }
    }
  return undefined
}
