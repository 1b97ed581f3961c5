import type { EpochRecord } from '../../train/index.js'
import { short } from '../terminal/index.js'
import { chartStyle, chartWidth, type LineChart, lineChart, type Series } from './line-chart.js'

/** With a space that does not break. */
export const percent = (share: number) =>
  Number.isFinite(share) ? `${(share * 100).toFixed(1)}\u00a0%` : String(share)

/** Loss and accuracy of training and validation, side by side, as a picture that stands alone. */
export function curvesSvg(epochs: readonly EpochRecord[], bestEpoch: number): string {
  const [space, height] = [16, 280]
  const width = 2 * chartWidth + 3 * space
  const charts = lossAndAccuracy(epochs, bestEpoch).map((chart, i) => {
    const x = space + i * (chartWidth + space)
    return lineChart(chart, ` x="${x}" y="${space}" width="${chartWidth}" height="${chart.height}"`)
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" class="curves" viewBox="0 0 ${width} ${height}">
<style>${chartStyle}</style><rect class="paper" width="${width}" height="${height}"/>
${charts.join('\n')}
</svg>
`
}

export function allCharts(epochs: readonly EpochRecord[], bestEpoch: number): readonly LineChart[] {
  const small = (title: string, name: string, axis: LineChart['axis'], value: (record: EpochRecord) => number) => ({
    ...common(epochs, bestEpoch),
    title,
    series: [{ name, className: 'training', values: epochs.map(value) }],
    height: 150,
    format: short,
    axis
  })
  return [
    ...lossAndAccuracy(epochs, bestEpoch),
    small('Learning rate', 'rate', 'from zero', record => record.learningRate),
    small('Norm of the gradient', 'norm', 'logarithmic if wide', record => record.gradientNorm)
  ]
}

function lossAndAccuracy(epochs: readonly EpochRecord[], bestEpoch: number): readonly LineChart[] {
  const shared = { ...common(epochs, bestEpoch), height: 248 }
  const pair = (training: keyof EpochRecord, validation: keyof EpochRecord): readonly Series[] => {
    const series = [
      { name: 'training', className: 'training', values: epochs.map(record => record[training]) },
      { name: 'validation', className: 'validation', values: epochs.map(record => record[validation]) }
    ]
    return series.filter(({ values }) => values.some(value => value !== undefined))
  }
  return [
    {
      ...shared,
      title: 'Loss',
      series: pair('trainLoss', 'validationLoss'),
      format: short,
      axis: 'logarithmic if wide'
    },
    {
      ...shared,
      title: 'Accuracy',
      series: pair('trainAccuracy', 'validationAccuracy'),
      format: share => percent(share).replace('.0', ''),
      axis: 'linear'
    }
  ]
}

function common(epochs: readonly EpochRecord[], best: number) {
  return { epochs: epochs.map(({ epoch }) => epoch), best }
}
