import { scaled } from '../../cli/terminal/index.js'
import type { GpuDispatch } from '../../runtime/index.js'
import { type Column, markdownTable } from '../peers/peers-report.js'
import { devices } from './devices.js'
import { megabytes, type Traffic, trafficOf } from './traffic.js'

/**
 * Times by a roofline (Williams, Waterman and Patterson 2009): a dispatch takes what its arithmetic or its bytes take, whichever is
 * longer. Arithmetic runs on the processors that have a workgroup, in as many turns as it takes to give each its own; all
 * at the published rate, which no shader reaches. Launching, and waiting between dispatches, is left out.
 */
export interface Predicted extends Traffic {
  readonly dispatch: GpuDispatch
  readonly workgroups: number
  /** On each of `devices`. */
  readonly on: readonly Times[]
}

export interface Times {
  /** Share of the processors that have work, over the dispatch's turns. */
  readonly occupancy: number
  /** Microseconds of arithmetic, of the bytes where caches answer every repetition, and of the bytes where they answer none. */
  readonly compute: number
  readonly least: number
  readonly moved: number
}

export interface Prediction {
  readonly network: string
  readonly dispatches: readonly Predicted[]
  /** Entry points of shaders whose traffic is not modelled, which take no time here. */
  readonly unknown: readonly string[]
}

/** Fewer workgroups than processors do not matter in a dispatch that is shorter, in microseconds. */
export const short = 5

export const timeOf = ({ compute, least }: Times) => Math.max(compute, least)

export function predict(network: string, all: readonly GpuDispatch[], precision: 'f32' | 'f16' = 'f32'): Prediction {
  const unknown = new Set<string>()
  const dispatches = all.map((dispatch): Predicted => {
    const traffic = trafficOf(dispatch, precision)
    if (!traffic) unknown.add(dispatch.entry)
    const { moved, least, macs, done } = traffic ?? { moved: 0, least: 0, macs: 0, done: 0 }
    const workgroups = dispatch.groups.reduce((a, b) => a * b, 1)
    const on = devices.map(({ processors, gflops, bandwidth }): Times => {
      const occupancy = workgroups / (Math.ceil(workgroups / processors) * processors)
      const bytes = (count: number) => count / bandwidth / 1e3
      return { occupancy, compute: (2 * done) / gflops / occupancy / 1e3, least: bytes(least), moved: bytes(moved) }
    })
    return { dispatch, workgroups, moved, least, macs, done, on }
  })
  return { network, dispatches: dispatches.filter(({ workgroups }) => workgroups > 0), unknown: [...unknown] }
}

/** Milliseconds of a run on an adapter that is one of `devices`, by its description. */
export function predictedOn(description: string, { dispatches }: Prediction): number | undefined {
  const device = devices.findIndex(({ told }) => told.test(description))
  return device < 0 ? undefined : sum(dispatches.map(({ on }) => timeOf(on[device]))) / 1e3
}

/** Dispatches that leave processors without a workgroup for longer than is `short`. */
export function starved({ dispatches }: Prediction, device: number): readonly Predicted[] {
  return dispatches.filter(
    ({ workgroups, on }) => workgroups < devices[device].processors && timeOf(on[device]) > short
  )
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)
const percent = (share: number) => `${(share * 100).toFixed(0)} %`

/** A row for each network and device. */
export function predictionTable(predictions: readonly Prediction[]): string {
  const columns: Column[] = [
    ['network', 'left'],
    ['device', 'left'],
    ['µs', 'right'],
    ['without caches', 'right'],
    ['bound by arithmetic', 'right'],
    ['by bytes', 'right'],
    ['occupancy', 'right'],
    ['starved', 'right']
  ]
  const rows = predictions.flatMap(prediction =>
    devices.map(({ name }, i) => {
      const { dispatches } = prediction
      const times = dispatches.map(({ on }) => on[i])
      const total = sum(times.map(timeOf))
      const computing = times.filter(({ compute, least }) => compute > least)
      const arithmetic = sum(times.map(({ compute }) => compute))
      return [
        prediction.network,
        name,
        total.toFixed(0),
        sum(times.map(({ compute, moved }) => Math.max(compute, moved))).toFixed(0),
        `${computing.length} (${percent(sum(computing.map(timeOf)) / total)})`,
        `${times.length - computing.length} (${percent(1 - sum(computing.map(timeOf)) / total)})`,
        percent(sum(times.map(({ compute, occupancy }) => compute * occupancy)) / arithmetic),
        String(starved(prediction, i).length)
      ]
    })
  )
  return markdownTable(columns, rows)
}

/** A row for each network: what it moves. */
export function bytesTable(predictions: readonly Prediction[]): string {
  const columns: Column[] = [
    ['network', 'left'],
    ['dispatches', 'right'],
    ['pipelines', 'right'],
    ['MB moved', 'right'],
    ['MB at least', 'right'],
    ['moved / least', 'right'],
    ['fewest workgroups', 'right']
  ]
  const rows = predictions.map(({ network, dispatches }) => {
    const [moved, least] = (['moved', 'least'] as const).map(key => sum(dispatches.map(each => each[key])))
    const fewest = Math.min(...dispatches.map(({ workgroups }) => workgroups))
    return [
      network,
      String(dispatches.length),
      String(new Set(dispatches.map(({ dispatch }) => dispatch.pipeline)).size),
      megabytes(moved),
      megabytes(least),
      (moved / least).toFixed(2),
      String(fewest)
    ]
  })
  return markdownTable(columns, rows)
}

/** Which dispatches are starved, and what has no model. */
export function predictionNotes(predictions: readonly Prediction[]): string[] {
  return predictions.flatMap(prediction => [
    ...devices.flatMap(({ name, processors }, i) =>
      starved(prediction, i).map(
        ({ dispatch, workgroups, on }) =>
          `${prediction.network}: ${dispatch.entry} of ${dispatch.node} has ${workgroups} workgroups for the ${processors} processors of ${name}, ${timeOf(on[i]).toFixed(1)} µs`
      )
    ),
    ...(prediction.unknown.length
      ? [`${prediction.network}: no traffic model for ${prediction.unknown.join(', ')}`]
      : [])
  ])
}

/** A row for each dispatch. */
export function dispatchTable({ dispatches }: Prediction): string {
  const columns: Column[] = [
    ['shader', 'left'],
    ['node', 'left'],
    ['workgroups', 'right'],
    ['MACs done', 'right'],
    ['MB moved', 'right'],
    ['at least', 'right'],
    ...devices.map(({ name }): Column => [`${name}, µs`, 'left'])
  ]
  const rows = dispatches.map(({ dispatch, workgroups, done, moved, least, on }) => [
    dispatch.entry,
    dispatch.node,
    String(workgroups),
    scaled(done),
    (moved / 1e6).toFixed(2),
    (least / 1e6).toFixed(2),
    ...on.map(times => {
      const by = times.compute > times.least ? 'arithmetic' : 'bytes'
      return `${timeOf(times).toFixed(1)} ${by}, ${percent(times.occupancy)}`
    })
  ])
  return markdownTable(columns, rows)
}

export function predictionMarkdown(predictions: readonly Prediction[], detailed: boolean): string {
  const notes = predictionNotes(predictions)
  const details = detailed ? predictions.map(each => `\n## ${each.network}\n\n${dispatchTable(each)}\n`) : []
  return `# What runs take on GPUs by their published figures

Written by \`npm run bench:gpu -- --predict\`; batch 1, float32. Nothing here is measured: times are a roofline, bytes and
multiply-adds those of \`bench/gpu/traffic.ts\`.

${devices.map(({ name, processors, gflops, bandwidth, source }) => `- **${name}**: ${processors} processors, ${gflops / 1000} TFLOP/s, ${bandwidth} GB/s (${source}).`).join('\n')}
- **µs**: the longer of arithmetic at that rate, on the processors that have a workgroup, and each dispatch's inputs read
  once and its outputs written once; **without caches** with all bytes that shaders ask for instead.
- **bound by**: dispatches, and their share of the time. **occupancy**: of processors while there is arithmetic.
- **starved**: dispatches of more than ${short} µs with fewer workgroups than processors.

${predictionTable(predictions)}

${bytesTable(predictions)}
${notes.length ? `\n${notes.map(note => `- ${note}`).join('\n')}\n` : ''}${details.join('')}`
}
