// Whole networks against other runtimes: speed in turns of one process, cold start and memory in fresh processes, download
// size. `npm run bench:peers [networks] [-- --threads N --vs LIST --seconds S --starts K --out DIR]`. The report is
// written for the usual networks; for others only with --out.
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bareBytes, contest, cpuPeers, median, packagesOf, showSpread, titles } from '../cli/measure/index.js'
import { table } from '../cli/terminal/index.js'
import { type Bar, chart } from './chart.js'
import { numberOf, peersOf, readArguments } from './command/arguments.js'
import { versionsOf } from './command/versions.js'
import { measured, network, pickNetworks, usual } from './networks.js'
import { markdown, type NetworkResult, type PeersReport, summarise } from './peers/peers-report.js'
import { downloads } from './peers/size.js'

const { values, positionals } = readArguments(
  'npm run bench:peers -- [networks] [--threads N] [--vs LIST] [--seconds S] [--starts K] [--out DIR]',
  { threads: '1', vs: cpuPeers.join(), seconds: '8', starts: '5', out: undefined }
)
const threads = numberOf('threads', values.threads, 1)
const seconds = numberOf('seconds', values.seconds, 0.1, false)
const starts = numberOf('starts', values.starts, 0)
const peers = peersOf(values.vs)
const names = pickNetworks(positionals, usual)
const major = process.versions.node.split('.')[0]
const out =
  values.out ?? (positionals.length ? undefined : fileURLToPath(new URL('../../bench/results/', import.meta.url)))

const header = ['runtime', 'ms', 'ratio', 'cold start', 'peak MiB', 'error']
const align = ['left', 'right', 'right', 'right', 'right', 'right'] as const
const networks: NetworkResult[] = []
for (const name of names) {
  const subject = network(name)
  const standings = await contest(subject, { threads, peers, patience: { seconds }, tolerance: 1e-3, starts })
  networks.push({ network: name, macs: subject.macs, standings })
  const rows = standings.map(({ engine, times, ratio, cold, error }) => [
    titles[engine],
    times ? showSpread(times) : '',
    ratio ? showSpread(ratio) : '',
    cold ? cold.total.toFixed(0) : '',
    cold ? (cold.peakBytes / 2 ** 20).toFixed(0) : '',
    error === undefined ? '' : error.toExponential(0)
  ])
  const refusals = standings.flatMap(({ refusal }) => (refusal ? [refusal] : []))
  console.log(`${[name, table(header, rows, align), ...refusals].join('\n')}\n`)
}

const bare: number[] = []
for (let i = 0; i < 5; i++) bare.push(await bareBytes())
const summary = summarise(networks)
for (const { engine, networks: count, geometricMean, least } of summary)
  console.log(
    `${titles[engine]}: geometric mean of the ratios ${geometricMean.toFixed(3)} over ${count} of the ${measured.length} networks, least ${least.ratio.toFixed(2)} (${least.network})`
  )

const sizes = await downloads()
for (const { engine, gzipped } of sizes)
  console.log(`${titles[engine]}: download ${gzipped.toLocaleString('en-US')} bytes`)

if (out !== undefined) {
  const report: PeersReport = {
    node: process.versions.node,
    threads,
    processor: cpus()[0].model.trim(),
    packages: versionsOf([...new Set(peers.flatMap(peer => packagesOf[peer]))]),
    networks,
    summary,
    downloads: sizes,
    bareBytes: median(bare)
  }
  const stem = `node${major}${threads > 1 ? `-${threads}threads` : ''}`
  mkdirSync(out, { recursive: true })
  writeFileSync(join(out, `${stem}.json`), `${JSON.stringify(report, undefined, 1)}\n`)
  writeFileSync(join(out, `${stem}.md`), markdown(report, `${stem}.svg`))
  writeFileSync(join(out, `${stem}.svg`), await picture(report))
  console.log(`written to ${join(out, stem)}.md, .json and .svg`)
}
// Peers leave worker threads behind.
process.exit(0)

/** The wasm runtimes only: onnxruntime-node is machine code, and its bars would be another story. */
function picture({ networks, node }: PeersReport): Promise<string> {
  const bars = networks.flatMap(({ network, standings }) =>
    standings.flatMap(({ engine, ratio }): Bar[] =>
      ratio && engine !== 'ort-node' ? [{ network, engine, ratio }] : []
    )
  )
  const title = `Whole networks on ${threads === 1 ? 'one thread' : `${threads} threads`}`
  return chart(bars, title, `Node ${node}, batch 1, float32; medians and quartiles of interleaved runs`)
}
