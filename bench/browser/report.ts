// The table of `npm run bench:browser`.
import { geometricMean, ratioOf, type Spread, showSpread, spreadOf } from '../../cli/measure/index.js'
import { markdownTable } from '../peers/peers-report.js'
import { type Numbers, type PageEngine, pageEngines, type Result } from './page/task.js'

/** One runtime on one network, as the report keeps it. */
export interface Standing extends Omit<Result, 'times'> {
  readonly times?: Spread
  /** How many times as long as Cairn on the same numbers, round by round. */
  readonly ratio?: Spread
}

export interface NetworkResult {
  readonly network: string
  readonly macs: number
  readonly threads: number
  readonly standings: readonly Standing[]
}

/** All that one call has measured. */
export interface BrowserReport {
  readonly chromium: string
  readonly processor: string
  readonly packages: Readonly<Record<string, string>>
  readonly networks: readonly NetworkResult[]
}

export const titles: Readonly<Record<PageEngine, string>> = {
  cairn: 'Cairn',
  'ort-web': 'onnxruntime-web',
  tfjs: 'TensorFlow.js',
  litert: 'LiteRT.js'
}

const peers = pageEngines.filter(engine => engine !== 'cairn')
const kinds: readonly Numbers[] = ['float32', 'int8']

export function standingsOf(results: readonly Result[]): Standing[] {
  return results.map(({ times, ...result }) => {
    if (!times) return result
    const own = results.find(other => other.engine === 'cairn' && other.numbers === result.numbers)?.times
    const ratio = own && result.engine !== 'cairn' ? ratioOf(own, times) : undefined
    return { ...result, times: spreadOf(times), ratio }
  })
}

export const header = ['runtime', 'numbers', 'ms', 'ratio', 'error', 'remarks']

const outside = 'not all of it on XNNPACK'

/** What the terminal shows of one page. */
export function rowsOf({ standings }: NetworkResult): string[][] {
  return standings.map(({ engine, numbers, times, ratio, error, partly, refusal }) => [
    ...[titles[engine], numbers],
    ...[times ? showSpread(times) : '', ratio ? showSpread(ratio) : ''],
    ...[engine === 'cairn' || error === undefined ? '' : error.toExponential(0)],
    refusal ?? (partly ? outside : '')
  ])
}

const of = ({ standings }: NetworkResult, engine: PageEngine, numbers: Numbers) =>
  standings.find(standing => standing.engine === engine && standing.numbers === numbers)

const shown = (spread: Spread | undefined) =>
  spread ? `**${spread.median.toFixed(2)}** (${spread.low.toFixed(2)}-${spread.high.toFixed(2)})` : '–'

/** The table of one kind of numbers. */
function tableOf(networks: readonly NetworkResult[], numbers: Numbers): string {
  const present = peers.filter(peer => networks.some(network => of(network, peer, numbers)))
  const rows = networks.map(network => {
    const own = of(network, 'cairn', numbers)?.times
    return [
      network.network,
      own ? showSpread(own) : '–',
      ...present.map(peer => shown(of(network, peer, numbers)?.ratio))
    ]
  })
  const means = present.map(peer => {
    const ratios = networks.flatMap(network => of(network, peer, numbers)?.ratio?.median ?? [])
    return ratios.length ? `${geometricMean(ratios).toFixed(2)} (${ratios.length})` : '–'
  })
  return markdownTable(
    [
      ['network', 'left'],
      ['Cairn, ms', 'right'],
      ...present.map(peer => [`ratio to ${titles[peer]}`, 'right'] as const)
    ],
    [...rows, ['geometric mean (of so many)', '', ...means]]
  )
}

const counted = (threads: number) => `${threads} thread${threads > 1 ? 's' : ''}`

export function markdown({ chromium, processor, packages, networks }: BrowserReport): string {
  const counts = [...new Set(networks.map(({ threads }) => threads))]
  const sections = counts.flatMap(count =>
    kinds.flatMap(numbers => {
      const own = networks.filter(network => network.threads === count && of(network, 'cairn', numbers))
      return own.length ? [`## ${numbers}, ${counted(count)}\n\n${tableOf(own, numbers)}`] : []
    })
  )
  const errors = kinds.flatMap(numbers => {
    const list = networks.flatMap(({ standings }) =>
      standings.flatMap(({ times, error = 0, ...one }) => (one.numbers === numbers && times ? [error] : []))
    )
    return list.length ? [`${Math.max(...list).toExponential(0)} in ${numbers}`] : []
  })
  const remarks = networks.flatMap(({ network, threads, standings }) =>
    standings.flatMap(({ engine, numbers, partly, refusal = partly ? outside : undefined }) =>
      refusal ? [`- ${network}, ${numbers}, ${counted(threads)}, ${titles[engine]}: ${refusal}`] : []
    )
  )
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`)
  return `# In Chromium ${chromium}

Written by \`npm run bench:browser\`. ${processor}; batch 1, all on WebAssembly, in turns in one page;
${versions.join(', ')}.
Medians with quartiles; ratios say how many times as long as Cairn on the same numbers the other
takes. Outputs are compared first: they differ from Cairn's by at most ${errors.join(', ')},
as a share of their maximum. LiteRT.js has .tflite files of the same networks, and its build with
threads where there is more than one, else the plain one.

${sections.join('\n\n')}
${remarks.length ? `\n## Remarks\n\n${remarks.join('\n')}\n` : ''}`
}
