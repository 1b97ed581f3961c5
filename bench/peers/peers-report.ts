import {
  type EngineName,
  engineNames,
  geometricMean,
  type PeerName,
  type Spread,
  type Standing,
  titles
} from '../../cli/measure/index.js'
import { scaled, size } from '../../cli/terminal/index.js'
import { measured } from '../networks.js'
import type { Download } from './size.js'

/** All that one call of `npm run bench:peers` has measured. */
export interface PeersReport {
  readonly node: string
  readonly threads: number
  readonly processor: string
  readonly packages: Readonly<Record<string, string>>
  readonly networks: readonly NetworkResult[]
  readonly summary: readonly Summary[]
  readonly downloads: readonly Download[]
  /** Peak bytes of a Node that imports nothing. */
  readonly bareBytes: number
}

export interface NetworkResult {
  readonly network: string
  readonly macs: number
  readonly standings: readonly Standing[]
}

export interface Summary {
  readonly engine: PeerName
  /** Networks of the measured set that the figures are over. */
  readonly networks: number
  readonly geometricMean: number
  readonly least: { readonly network: string; readonly ratio: number }
}

/** Geometric mean and minimum of each peer's ratios over the networks that acceptance names, and no others. */
export function summarise(results: readonly NetworkResult[]): Summary[] {
  const peers = engineNames.filter(name => name !== 'cairn')
  return peers.flatMap(engine => {
    const ratios = results
      .filter(({ network }) => measured.includes(network))
      .flatMap(({ network, standings }) => {
        const ratio = standings.find(standing => standing.engine === engine)?.ratio
        return ratio ? [{ network, ratio: ratio.median }] : []
      })
    if (!ratios.length) return []
    const least = ratios.reduce((a, b) => (b.ratio < a.ratio ? b : a))
    return [{ engine, networks: ratios.length, geometricMean: geometricMean(ratios.map(r => r.ratio)), least }]
  })
}

export type Column = readonly [title: string, align: 'left' | 'right']

export function markdownTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = columns.map(([, align]) => (align === 'right' ? '---:' : '---'))
  return [line(columns.map(([title]) => title)), line(rule), ...rows.map(line)].join('\n')
}

const ratio = (spread: Spread | undefined) =>
  spread ? `**${spread.median.toFixed(2)}** (${spread.low.toFixed(2)}-${spread.high.toFixed(2)})` : '-'

export function markdown(report: PeersReport, picture: string): string {
  const { networks, threads, node, processor, bareBytes } = report
  const engines = engineNames.filter(name => networks.some(({ standings }) => standings.some(s => s.engine === name)))
  const peers = engines.filter(name => name !== 'cairn')
  const of = ({ standings }: NetworkResult, engine: EngineName) => standings.find(s => s.engine === engine)
  const right = (titles: readonly string[]): Column[] => titles.map(title => [title, 'right'])

  const times = markdownTable(
    [
      ['network', 'left'],
      ...right(['MACs', ...engines.map(name => `${titles[name]}, ms`), ...peers.map(name => `ratio to ${name}`)])
    ],
    networks.map(result => [
      result.network,
      scaled(result.macs),
      ...engines.map(engine => of(result, engine)?.times?.median.toFixed(2) ?? '-'),
      ...peers.map(engine => ratio(of(result, engine)?.ratio))
    ])
  )
  const summary = report.summary.map(
    ({ engine, networks, geometricMean, least }) =>
      `- ${titles[engine]}: geometric mean **${geometricMean.toFixed(2)}** over ${networks} of the ${measured.length} networks, least ${least.ratio.toFixed(2)} (${least.network})`
  )
  const refusals = networks.flatMap(({ network, standings }) =>
    standings.flatMap(({ engine, refusal }) => (refusal ? [`- ${network}, ${titles[engine]}: ${refusal}`] : []))
  )
  const cold = markdownTable(
    [['network', 'left'], ...right(engines.map(name => titles[name]))],
    networks.map(result => [
      result.network,
      ...engines.map(engine => {
        const fresh = of(result, engine)?.cold
        if (!fresh) return '-'
        const { total, import: imported, load, firstRun } = fresh
        return `${total.toFixed(0)} (${[imported, load, firstRun].map(ms => ms.toFixed(0)).join(' + ')})`
      })
    ])
  )
  const memory = markdownTable(
    [['network', 'left'], ...right(engines.map(name => titles[name]))],
    networks.map(result => [
      result.network,
      ...engines.map(engine => {
        const bytes = of(result, engine)?.cold?.peakBytes
        return bytes ? `${size(bytes - bareBytes)} (${size(bytes)})` : '-'
      })
    ])
  )
  const files = markdownTable(
    [['runtime', 'left'], ['files', 'left'], ...right(['bytes', 'gzip -9'])],
    report.downloads.map(({ engine, files, bytes, gzipped }) => [
      titles[engine],
      files.map(({ name, gzipped }) => `${name} ${size(gzipped)}`).join(', '),
      bytes.toLocaleString('en-US'),
      `**${size(gzipped)}**`
    ])
  )
  const versions = Object.entries(report.packages).map(([name, version]) => `${name} ${version}`)
  return `# Whole networks on Node ${node}

Written by \`npm run bench:peers\`. ${processor}; ${threads === 1 ? 'one thread' : `${threads} threads`}; batch 1, float32;
${versions.join(', ')}. Outputs were compared first. All runtimes take turns in one process; times are
medians, ratios say how many times as long as Cairn the peer takes, round by round, with quartiles.

![Ratios](${picture})

${times}

${summary.join('\n')}
${refusals.length ? `\nNot run:\n\n${refusals.join('\n')}\n` : ''}
## Cold start

Milliseconds from a fresh process to the first results: import + load + first run, the processes in turns. TensorFlow.js
loads a graph that was converted ahead of time.

${cold}

## Peak memory

Resident memory of those processes at its peak, less the ${size(bareBytes)} of a Node that imports nothing; the whole in brackets.

${memory}

## Download

${files}
`
}
