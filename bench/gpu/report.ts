import { geometricMean, showSpread, titles } from '../../cli/measure/index.js'
import { scaled } from '../../cli/terminal/index.js'
import { type Column, markdownTable } from '../peers/peers-report.js'
import { type GpuLayers, layersText } from './layers.js'
import type { Limits } from './limits.js'
import { type Timing, tolerances } from './time.js'

/** All that one call of `npm run bench:gpu` has measured. */
export interface GpuReport {
  readonly node: string
  readonly adapter: Readonly<Record<'vendor' | 'architecture' | 'description', string>> & {
    readonly isFallbackAdapter: boolean
  }
  /** Whether the adapter has shader-f16. */
  readonly halves: boolean
  readonly rounds: number
  readonly timings: Timing[]
  readonly layers: GpuLayers[]
  /** What could not be measured, and why. */
  readonly failures: string[]
}

export function adapterText({ adapter, halves }: GpuReport): string {
  const { vendor, architecture, description, isFallbackAdapter } = adapter
  const name = [vendor, architecture, description].filter(Boolean).join(', ')
  return [
    `adapter: ${name}${isFallbackAdapter ? ' (an imitation on the CPU: its times say nothing about a GPU)' : ''}`,
    `half precision: ${halves ? 'yes' : 'no'} (on NVIDIA with Vulkan only because Dawn was made with vulkan_enable_f16_on_nvidia)`
  ].join('\n')
}

const rate = (value: number) => (value < 10 ? value.toPrecision(2) : value.toFixed(0))

export const limitsText = ({ f32, f16, bandwidth }: Limits) =>
  `the device reaches ${rate(f32)} GFLOP/s of multiply-adds in f32${f16 ? `, ${rate(f16)} in f16` : ''} and copies ${rate(bandwidth)} GB/s`

/** How far off the roofline of published figures is. */
export function predictedText({ predicted, standings }: Timing): string {
  const measured = standings.find(({ engine }) => engine === 'cairn')?.times?.median
  if (predicted === undefined || measured === undefined) return ''
  return `; by its published figures a run takes ${predicted.toPrecision(3)} ms, and took ${(measured / predicted).toFixed(1)} times as long`
}

const percent = (share: number | undefined) => (share === undefined ? '' : `${(share * 100).toFixed(1)} %`)

/** A row for each network, precision and runtime; a markdown table, which the terminal shows as well. */
export function timingsTable({ timings }: GpuReport): string {
  const columns: Column[] = [
    ['network', 'left'],
    ['precision', 'left'],
    ['runtime', 'left'],
    ['ms', 'right'],
    ['GFLOP/s', 'right'],
    ['ratio', 'right'],
    ['of multiply-adds', 'right'],
    ['of bandwidth', 'right'],
    ['MACs', 'right'],
    ['error', 'right']
  ]
  const rows = timings.flatMap(({ network, precision, macs, error, standings }) =>
    standings.map(({ engine, times, ratio, gflops, ofCompute, ofBandwidth, refusal, error: peerError }) => [
      network,
      precision,
      titles[engine],
      times ? showSpread(times) : (refusal ?? ''),
      gflops === undefined ? '' : rate(gflops),
      ratio ? showSpread(ratio) : '',
      percent(ofCompute),
      percent(ofBandwidth),
      engine === 'cairn' ? scaled(macs) : '',
      (peerError ?? error).toExponential(0)
    ])
  )
  return [markdownTable(columns, rows), ...means(timings)].join('\n')
}

function means(timings: readonly Timing[]): string[] {
  const all = timings.flatMap(({ precision, standings }) =>
    standings.flatMap(({ engine, ratio }) => (ratio ? [{ key: `${titles[engine]}, ${precision}`, ratio }] : []))
  )
  return [...new Set(all.map(({ key }) => key))].map(key => {
    const ratios = all.filter(each => each.key === key).map(({ ratio }) => ratio.median)
    const least = Math.min(...ratios)
    return `\n${key}: geometric mean of the ratios ${geometricMean(ratios).toFixed(2)} over ${ratios.length}, least ${least.toFixed(2)}`
  })
}

export function markdown(report: GpuReport): string {
  const { node, rounds, layers, timings, failures } = report
  const sections = layers.map(each => `## ${each.network}, ${each.precision}\n\n\`\`\`\n${layersText(each)}\n\`\`\`\n`)
  return `# Networks on WebGPU in Node ${node}

Written by \`npm run bench:gpu\`; batch 1. ${adapterText(report).split('\n').join('. ')}.

Cairn's outputs were compared with onnxruntime's on the CPU in single precision first; ${tolerances.f32} of an output's maximum is allowed in f32, ${tolerances.f16} in
f16. Then all took turns in one process for ${rounds} rounds, inputs and outputs on the CPU: medians with quartiles; the ratio is how many times as long
as Cairn the peer takes, round by round. Shares are of what the device reaches beside it, on kernels that do nothing else (\`bench/gpu/limits.ts\`);
of bandwidth counts each dispatch's inputs read once and outputs written once, which caches may beat.

${timings.length ? `At first ${limitsText(timings[0].limits)}.\n` : ''}${timings
  .map(each => `\n${each.network}, ${each.precision}${predictedText(each)}.\n`)
  .filter(text => text.includes(';'))
  .join('')}
${timingsTable(report)}
${failures.length ? `\nNot measured:\n\n${failures.map(failure => `- ${failure}`).join('\n')}\n` : ''}
${sections.join('\n')}`
}
