import type { LayerReport, QuantiseReport, TensorReport } from '../../compiler/quantise/index.js'
import { short } from '../terminal/index.js'

/** What quantising has found, as rows of tables. */

const decibels = (value: number) => (Number.isFinite(value) ? value.toFixed(1) : value > 0 ? 'exact' : '-')

const why: Readonly<Record<NonNullable<LayerReport['kept']>, string>> = {
  asked: 'float (--keep)',
  budget: 'float: costs most'
}

/** What single layers cost the outputs is known where something had to stay float. */
const isCosted = ({ layers }: QuantiseReport) => layers.some(({ cost }) => cost !== undefined)

export function layerHeader(report: QuantiseReport): string[] {
  return ['layer', 'operator', 'SQNR alone (dB)', ...(isCosted(report) ? ['error alone'] : []), 'computes with']
}

/** Layers with weights, those first that lose most. */
export function layerRows(report: QuantiseReport): string[][] {
  const withCost = isCosted(report)
  const loss = ({ sqnr }: LayerReport) => (sqnr < Number.POSITIVE_INFINITY ? sqnr : Number.MAX_VALUE)
  return [...report.layers]
    .sort((a, b) => loss(a) - loss(b))
    .map(({ name, op, sqnr, cost, kept }) => [
      ...[name, op, decibels(sqnr)],
      ...(withCost ? [cost === undefined ? '-' : short(cost)] : []),
      kept ? why[kept] : 'bytes'
    ])
}

export const tensorHeader = ['tensor', 'least', 'largest', 'range by', 'clipped (%)', 'SQNR (dB)']

export function tensorRows({ tensors }: QuantiseReport): string[][] {
  return tensors.map(({ name, low, high, chooser, clipped, sqnr }: TensorReport) => [
    name,
    short(low),
    short(high),
    chooser,
    (100 * clipped).toFixed(3),
    decibels(sqnr)
  ])
}

/** What was decided, by whichever data. */
interface Decided {
  readonly report: QuantiseReport
  readonly data: string
  readonly weightBits: 7 | 8
}

/** In facts. */
export function quantisedFacts({ report, data, weightBits }: Decided): [string, string][] {
  const float = report.layers.filter(({ kept }) => kept)
  return [
    ['calibrated with', data],
    ['ranges', report.ranges === 'min-max' ? 'all values inside' : `of ${report.ranges} for each tensor`],
    [
      'weights',
      `int8${weightBits === 7 ? ' of 7 bits' : ''}, a scale for each filter${report.isEqualised ? ', equalised across layers' : ''}`
    ],
    ['biases', `int32${report.isCorrected ? ', corrected by means of the calibration data' : ''}`],
    ['layers on bytes', `${report.layers.length - float.length} of ${report.layers.length}`],
    ['error of the outputs', `${short(report.error)} (RMS over their RMS, on calibration data)`]
  ]
}

/** Tables for a page that reports on a compiled file. */
export function sectionsOf(report: QuantiseReport): Section[] {
  return [
    {
      title: 'Layers on bytes: what each loses where it alone is quantised',
      header: layerHeader(report),
      rows: layerRows(report)
    },
    { title: 'Tensors of bytes: ranges, clipping and error', header: tensorHeader, rows: tensorRows(report) }
  ]
}

interface Section {
  readonly title: string
  readonly header: readonly string[]
  readonly rows: readonly (readonly string[])[]
}
