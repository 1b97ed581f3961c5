import { geometricMean, gflops, median } from '../../cli/measure/index.js'
import { table } from '../../cli/terminal/index.js'
import type { LayerResult } from './kernel-contest.js'
import { type Layer, macsOf, showLayer } from './layers.js'

/** Below this share of the peak a layer is listed. */
const wanted = 0.6

/** Filters of a panel, and pixels of a tile. */
const panel = 8
const tile = 4

/**
 * By kernel the share of the engine's peak that it reaches in the layers for which it is chosen, and every layer under 60 %
 * with what keeps it there. Transforms multiply less than they are credited for, so theirs may be above 1.
 */
export function showShares(results: readonly LayerResult[]): void {
  const shares = results.flatMap(({ layer, variants, peak }) => {
    const own = variants.find(({ chosen, times }) => chosen && times)
    const macs = macsOf(layer)
    if (!own?.times || !macs) return []
    return [{ layer, kernel: own.kernel, share: gflops(macs, median(own.times)) / peak }]
  })
  if (!shares.length) return
  const kernels = [...new Set(shares.map(({ kernel }) => kernel))].sort()
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`
  const rows = kernels.map(name => {
    const list = shares.filter(({ kernel }) => kernel === name).map(({ share }) => share)
    return [
      name,
      `${list.length}`,
      percent(geometricMean(list)),
      percent(Math.min(...list)),
      percent(Math.max(...list))
    ]
  })
  const head = ['kernel', 'shapes', 'of peak, mean', 'least', 'most']
  console.log(`\n${table(head, rows, ['left', 'right', 'right', 'right', 'right'])}`)
  const low = shares.filter(({ share }) => share < wanted).sort((a, b) => a.share - b.share)
  if (!low.length) return
  const lines = low.map(({ layer, kernel, share }) => [
    percent(share),
    kernel,
    showLayer(layer),
    reasonOf(layer, kernel)
  ])
  console.log(`\nunder ${percent(wanted)} of the peak:`)
  console.log(table(['of peak', 'kernel', 'layer', 'because'], lines, ['right', 'left', 'left', 'left']))
}

/** What a layer's shape says about its share. */
export function reasonOf(
  { op, input, outputs = 1, sizes = [1], strides, pads, groups }: Layer,
  kernel: string
): string {
  const lone = 'every weight is read from memory for one product'
  if (op === 'gemm' && input[0] < tile) return lone
  const channels = input[1] / groups
  const filters = outputs / groups
  if (kernel.startsWith('depthwise')) return 'a product has two loads: nothing is shared between filters'
  const half = pads.length / 2
  const [height, width] = input
    .slice(2)
    .map((size, i) => Math.floor((size + pads[i] + pads[half + i] - (sizes[i] ?? 1)) / (strides[i] ?? 1)) + 1)
  const pixels = (height ?? 1) * (width ?? 1)
  if (pixels === 1) return lone
  if (pixels < 4 * tile) return `${pixels} pixels share what is read of the weights`
  if (filters % panel && filters / (Math.ceil(filters / panel) * panel) < 0.8)
    return `of panels of ${panel} filters ${filters % panel} of the last are used`
  if (channels <= tile)
    return `runs of ${channels * (sizes.at(-1) ?? 1)} floats: what begins one costs as much as its products`
  const products = channels * sizes.slice(-2).reduce((a, b) => a * b, 1)
  if (products < 100) return `an output is ${products} products: what begins and ends it costs as much`
  if (kernel.startsWith('winograd')) return 'transforms take longer than so few products'
  if (pads.some(pad => pad > 0) && width < 16)
    return 'many windows reach over the border, whose tiles are walked tap by tap'
  if (kernel === 'convTranspose') return 'few taps meet a remainder of the stride'
  return 'nothing in its shape says why'
}
