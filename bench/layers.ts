// Layers that real models have and the measured networks have not, against the best of their peers, each line of
// bench/layers/sweep.txt: `npm run bench:layers [-- PART OF A LINE... --rounds N --below 1.5]`. Ends with those that are less
// than so many times as fast. Times are taken as in bench/kernels.ts.
import { readFileSync } from 'node:fs'
import { geometricMean, median, Peak, titles } from '../cli/measure/index.js'
import { table } from '../cli/terminal/index.js'
import { numberOf, peersOf, readArguments } from './command/arguments.js'
import { fail } from './command/fail.js'
import { type LayerResult, measureLayer } from './layers/kernel-contest.js'
import { type Layer, macsOf, parseFile, showLayer } from './layers/layers.js'

const { values, positionals } = readArguments(
  'npm run bench:layers -- [PART OF A LINE]... [--vs LIST] [--rounds N] [--below RATIO]',
  { vs: 'ort-web,tfjs', rounds: '5', below: '1.5' }
)
const below = numberOf('below', values.below, 0, false)
const rounds = numberOf('rounds', values.rounds, 1)
const peers = peersOf(values.vs)
const isMeant = (layer: Layer) => positionals.some(part => `${showLayer(layer)} # ${layer.name}`.includes(part))
const all = parseFile(readFileSync(new URL('../../bench/layers/sweep.txt', import.meta.url), 'utf8'))
const layers = positionals.length ? all.filter(isMeant) : all
if (!layers.length) fail(`no line of bench/layers/sweep.txt has ${positionals.map(part => `"${part}"`).join(' or ')}`)

/** A line of the table; `ratio` is to the fastest peer. */
interface Row {
  readonly ratio?: number
  readonly cells: readonly string[]
}

const peak = await Peak.open()
const rows: Row[] = []
for (const layer of layers) {
  const row = rowOf(await measureLayer(layer, peers, rounds, peak, 'f32'))
  rows.push(row)
  console.log(row.cells.join('  '))
}

const head = ['ratio', 'layer', 'kernel', 'ms', 'of peak', 'fastest peer']
const sorted = rows.toSorted((a, b) => (a.ratio ?? 0) - (b.ratio ?? 0))
console.log(
  `\n${table(
    head,
    sorted.map(({ cells }) => [...cells]),
    ['right', 'left', 'left', 'right', 'right', 'left']
  )}`
)
const ratios = rows.flatMap(({ ratio }) => (ratio === undefined ? [] : [ratio]))
const slow = ratios.filter(ratio => ratio < below).length
console.log(`\n${rows.length} layers, geometric mean ${geometricMean(ratios).toFixed(2)}; below ${below}: ${slow}`)
// Peers leave worker threads behind.
process.exit(0)

function rowOf({ layer, variants, peers, peak }: LayerResult): Row {
  const own = variants.find(({ chosen }) => chosen)!
  const others = peers.flatMap(({ engine, ratio }) => (ratio === undefined ? [] : [{ engine, ratio }]))
  const best = others.reduce<(typeof others)[number] | undefined>(
    (a, b) => (a && a.ratio <= b.ratio ? a : b),
    undefined
  )
  const ms = own.times && median(own.times)
  const share = ms && macsOf(layer) ? `${((2 * macsOf(layer)) / ms / 1e4 / peak).toFixed(0)} %` : ''
  return {
    ratio: best?.ratio,
    cells: [
      best ? best.ratio.toFixed(2) : '-',
      `${showLayer(layer)}   # ${layer.name}`,
      own.kernel,
      ms?.toPrecision(3) ?? own.refusal ?? '',
      share,
      best ? titles[best.engine] : (peers[0]?.refusal ?? '')
    ]
  }
}
