// Every layer shape on every kernel that can run it: compared with onnxruntime-node first, then timed, the variants and
// the peers in turns. `npm run bench:kernels [NETWORK | PART OF A LAYER'S LINE]... [-- --vs LIST --weights f32|f16 --rounds N --out FILE]`.
//
// A kernel's time is that of its call alone, without copies at the model's edge. Peers offer no such figure, so theirs is a
// difference: a model with several copies of the layer side by side, less one with a single copy and the same inputs and
// outputs, over the number of copies between.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  geometricMean,
  gflops,
  median,
  Peak,
  type PeerName,
  showSpread,
  spreadOf,
  titles
} from '../cli/measure/index.js'
import { table } from '../cli/terminal/index.js'
import { zoo } from '../models/index.js'
import { numberOf, peersOf, readArguments } from './command/arguments.js'
import { fail } from './command/fail.js'
import { type LayerResult, measureLayer, type PeerResult, type VariantResult } from './layers/kernel-contest.js'
import { kindOf, type Layer, macsOf, parseFile, showLayer } from './layers/layers.js'
import { showShares } from './layers/share-of-peak.js'
import { measured } from './networks.js'

const { values, positionals } = readArguments(
  'npm run bench:kernels -- [NETWORK | PART OF A LAYER]... [--vs LIST] [--rounds N] [--weights f32|f16] [--out FILE]',
  { vs: 'ort-web,tfjs', rounds: '7', weights: 'f32', out: undefined }
)
const weights = values.weights === 'f16' ? 'f16' : 'f32'
if (values.weights !== weights) fail(`--weights ${values.weights}: f32 and f16 are allowed`)
const rounds = numberOf('rounds', values.rounds, 1)
const peers = values.vs === '' ? [] : peersOf(values.vs)
const layers = pick(positionals)
const peak = await Peak.open()
const results: LayerResult[] = []

console.log(
  `${layers.length} shapes; kernels are timed alone, peers as the difference of models with several copies and with one.`
)
for (const [index, layer] of layers.entries()) {
  const result = await measureLayer(layer, peers, rounds, peak, weights)
  results.push(result)
  print(result, index)
}
summarise()
showShares(results)
if (values.out !== undefined)
  writeFileSync(values.out, `${JSON.stringify({ node: process.versions.node, results }, undefined, 1)}\n`)
// Peers leave worker threads behind.
process.exit(0)

/** The shapes of the named networks, or those whose line holds a given text; each shape once. */
function pick(wanted: readonly string[]): Layer[] {
  const networks = wanted.filter(name => zoo[name])
  const parts = wanted.filter(name => !zoo[name])
  const files = networks.length ? networks : measured
  const known = new Set<string>()
  const unique = new Map<string, Layer>()
  for (const name of files) {
    const path = join(fileURLToPath(new URL('../../bench/shapes/', import.meta.url)), `${name}.txt`)
    for (const layer of parseFile(readFileSync(path, 'utf8'))) {
      const line = showLayer(layer)
      const matching = parts.filter(part => `${line} ${kindOf(layer)} ${layer.name}`.includes(part))
      for (const part of matching) known.add(part)
      const fits = !parts.length || matching.length > 0
      if (fits && !unique.has(line)) unique.set(line, layer)
    }
  }
  for (const part of parts)
    if (!known.has(part)) fail(`"${part}" is no network, and no layer of ${files.join(', ')} has it`)
  return [...unique.values()]
}

function print({ layer, variants, peers, peak, copy }: LayerResult, index: number): void {
  const macs = macsOf(layer)
  const rate = (milliseconds: number) => (macs ? gflops(macs, milliseconds).toFixed(1) : '')
  const share = (milliseconds: number) => (macs ? `${((100 * gflops(macs, milliseconds)) / peak).toFixed(0)} %` : '')
  const own = ({ kernel, chosen, error, times, read, refusal }: VariantResult) => {
    const time = times && spreadOf(times)
    return [
      `${kernel}${chosen ? ' *' : ''}`,
      time ? showSpread(time, 4) : (refusal ?? ''),
      time ? rate(time.median) : '',
      time ? share(time.median) : '',
      '',
      error.toExponential(0),
      ...(copy ? [read?.toFixed(1) ?? ''] : [])
    ]
  }
  const other = ({ engine, times, ratio, error, refusal }: PeerResult) => [
    titles[engine],
    times ? showSpread(spreadOf(times), 4) : (refusal ?? ''),
    times ? rate(median(times)) : '',
    times ? share(median(times)) : '',
    ratio === undefined ? '' : ratio.toFixed(2),
    error === undefined ? '' : error.toExponential(0),
    ...(copy ? [''] : [])
  ]
  const head = ['kernel', 'ms', 'GFLOP/s', 'of peak', 'ratio', 'error', ...(copy ? ['GB/s of weights'] : [])]
  const rows = [...variants.map(own), ...peers.map(other)]
  console.log(
    `\n${index + 1}. ${showLayer(layer)}   # ${kindOf(layer)}, ${layer.name}; peak ${peak.toFixed(1)} GFLOP/s${copy ? `, copy ${copy.toFixed(1)} GB/s (read + written)` : ''}`
  )
  console.log(table(head, rows, ['left', ...new Array<'right'>(head.length - 1).fill('right')]))
}

/** By kind of layer and peer: the mean ratio, the least, and what is slower than the peer's. */
function summarise(): void {
  const ratios = results.flatMap(({ layer, peers }) =>
    peers.flatMap(({ engine, ratio }) => (ratio === undefined ? [] : [{ layer, kind: kindOf(layer), engine, ratio }]))
  )
  const rows: string[][] = []
  for (const kind of new Set(ratios.map(r => r.kind)))
    for (const engine of peers) {
      const list = ratios.filter(r => r.kind === kind && r.engine === engine)
      if (!list.length) continue
      const least = list.reduce((a, b) => (b.ratio < a.ratio ? b : a))
      const mean = geometricMean(list.map(({ ratio }) => Math.max(ratio, 1e-3)))
      const slower = list.filter(({ ratio }) => ratio < 1).length
      rows.push([
        kind,
        titles[engine],
        `${list.length}`,
        mean.toFixed(2),
        least.ratio.toFixed(2),
        `${slower}`,
        showLayer(least.layer)
      ])
    }
  const head = ['kind', 'against', 'shapes', 'mean ratio', 'least', 'slower', 'where it is least']
  console.log(`\n${table(head, rows, ['left', 'left', 'right', 'right', 'right', 'right', 'left'])}`)
  const failed = results.flatMap(({ layer, variants }) =>
    variants.filter(({ refusal }) => refusal).map(({ kernel, refusal }) => `${showLayer(layer)}: ${kernel}: ${refusal}`)
  )
  if (failed.length) console.log(`\nwrong or refused:\n${failed.join('\n')}`)
  const misses = results.flatMap(({ layer, variants }) => {
    const timed = variants.flatMap(({ kernel, chosen, times }) =>
      times ? [{ kernel, chosen, ms: median(times) }] : []
    )
    const own = timed.find(({ chosen }) => chosen)
    const best = timed.reduce<typeof own>((a, b) => (a && a.ms <= b.ms ? a : b), undefined)
    const gain = own && best ? own.ms / best.ms : 1
    return own && best && gain > 1.05 ? [{ layer, text: `${gain.toFixed(2)}  ${best.kernel} for ${own.kernel}` }] : []
  })
  if (misses.length)
    console.log(
      `\nfaster than the compiler's choice:\n${misses.map(({ layer, text }) => `  ${text}: ${showLayer(layer)}`).join('\n')}`
    )
  const names = (engine: PeerName) => ratios.filter(r => r.engine === engine && r.ratio < 1)
  for (const engine of peers)
    if (names(engine).length)
      console.log(
        `\nslower than ${titles[engine]}:\n${names(engine)
          .map(({ layer, ratio }) => `  ${ratio.toFixed(2)}  ${showLayer(layer)}`)
          .join('\n')}`
      )
}
