// The table of `npm run bench:browser`.
import { geometricMean, ratioOf, type Spread, showSpread, spreadOf } from '../../cli/measure/index.js'
import { markdownTable } from '../peers/peers-report.js'
import { type Numbers, type PageEngine, pageEngines, type Result } from './page/task.js'

export interface NetworkResult {
  readonly network: string
  readonly macs: number
  readonly threads: number
  readonly runs: readonly Result[]
}

/** All that one call has measured. */
export interface BrowserReport {
  readonly chromium: string
  readonly processor: string
  readonly packages: Readonly<Record<string, string>>
  readonly networks: readonly NetworkResult[]
}

const titles: Readonly<Record<PageEngine, string>> = {
  cairn: 'Cairn',
  'ort-web': 'onnxruntime-web',
  tfjs: 'TensorFlow.js',
  litert: 'LiteRT.js'
}

const peers = pageEngines.filter(engine => engine !== 'cairn')
const all: readonly Numbers[] = ['float32', 'int8']

export const header = ['runtime', 'numbers', 'ms', 'ratio', 'error', 'remarks']

const runOf = ({ runs }: NetworkResult, engine: PageEngine, numbers: Numbers) =>
  runs.find(run => run.engine === engine && run.numbers === numbers)

/** How many times as long as Cairn on the same numbers. */
function ratio(result: NetworkResult, engine: PageEngine, numbers: Numbers): Spread | undefined {
  const [own, other] = [runOf(result, 'cairn', numbers)?.times, runOf(result, engine, numbers)?.times]
  return own && other ? ratioOf(own, other) : undefined
}

/** What the terminal shows of one page. */
export function rowsOf(result: NetworkResult): string[][] {
  return result.runs.map(({ engine, numbers, times, error, partly, refusal }) => {
    const against = engine === 'cairn' ? undefined : ratio(result, engine, numbers)
    return [
      ...[titles[engine], numbers],
      ...[times ? showSpread(spreadOf(times)) : '', against ? showSpread(against) : ''],
      ...[error === undefined ? '' : error.toExponential(0), refusal ?? (partly ? 'not all of it on XNNPACK' : '')]
    ]
  })
}

const shown = (spread: Spread | undefined) =>
  spread ? `**${spread.median.toFixed(2)}** (${spread.low.toFixed(2)}-${spread.high.toFixed(2)})` : '–'

/** The table of one kind of numbers on so many threads. */
function tableOf(networks: readonly NetworkResult[], numbers: Numbers): string {
  const present = peers.filter(peer => networks.some(network => runOf(network, peer, numbers)))
  const rows = networks.map(network => {
    const own = runOf(network, 'cairn', numbers)?.times
    return [
      network.network,
      own ? showSpread(spreadOf(own)) : '–',
      ...present.map(peer => shown(ratio(network, peer, numbers)))
    ]
  })
  const means = present.map(peer => {
    const list = networks.flatMap(network => ratio(network, peer, numbers)?.median ?? [])
    return list.length ? `${geometricMean(list).toFixed(2)} (${list.length})` : '–'
  })
  return markdownTable(
    [
      ['network', 'left'],
      ['Cairn, ms', 'right'],
      ...present.map(peer => [`ratio to ${titles[peer]}`, 'right'] as const)
    ],
    [...rows, ['geometric mean (networks)', '', ...means]]
  )
}

export function markdown({ chromium, processor, packages, networks }: BrowserReport): string {
  const counts = [...new Set(networks.map(({ threads }) => threads))]
  const sections = counts.flatMap(count =>
    all.flatMap(numbers => {
      const own = networks.filter(network => network.threads === count && runOf(network, 'cairn', numbers))
      return own.length ? [`## ${numbers}, ${count} thread${count > 1 ? 's' : ''}\n\n${tableOf(own, numbers)}`] : []
    })
  )
  const refusals = networks.flatMap(({ network, threads, runs }) =>
    runs.flatMap(({ engine, numbers, refusal }) =>
      refusal ? [`- ${network}, ${numbers}, ${threads}: ${titles[engine]}: ${refusal}`] : []
    )
  )
  const errors = all.flatMap(numbers => {
    const list = networks.flatMap(({ runs }) =>
      runs.flatMap(run => (run.numbers === numbers && run.times && run.error ? [run.error] : []))
    )
    return list.length ? [`${numbers} ${Math.max(...list).toExponential(0)}`] : []
  })
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`)
  return `# In Chromium ${chromium}

Written by \`npm run bench:browser\`. ${processor}; ${versions.join(', ')}; batch 1. All runtimes on WebAssembly, in turns
in one page; medians with quartiles. Ratios say how many times as long as Cairn on the same numbers the other takes.
Outputs are compared first: they differ from Cairn's by at most (as a share of their maximum) ${errors.join(', ')}.
LiteRT.js has .tflite files of the same networks and weights (bench/browser/tflite/); its build with threads where there
is more than one, else the plain one.

${sections.join('\n\n')}
${refusals.length ? `\n## No figures\n\n${refusals.join('\n')}\n` : ''}`
}
