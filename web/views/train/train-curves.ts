import type { EpochRecord } from 'cairnjs/train'
import { Chart, LinearScale, LineController, LineElement, PointElement, Tooltip } from 'chart.js'
import { byId } from '../../dom.js'

Chart.register(LineController, LineElement, LinearScale, PointElement, Tooltip)

/** Loss and accuracy by epoch, in the colours that the page has now. */
let charts: Chart[] = []

export function drawCurves(epochs: readonly EpochRecord[], planned: number): void {
  for (const chart of charts) chart.destroy()
  const text = getComputedStyle(byId('train-doing')).color
  const line = getComputedStyle(byId('train-curves').closest('.panel')!).borderTopColor
  const [solid, dashed] = [...document.querySelectorAll('.legend .stroke')].map(
    stroke => getComputedStyle(stroke).borderTopColor
  )
  const axis = { ticks: { color: text }, grid: { color: line }, border: { color: line } }
  const draw = (id: string, trained: keyof EpochRecord, validated: keyof EpochRecord, share: boolean) => {
    const points = (key: keyof EpochRecord) => epochs.map(record => ({ x: record.epoch, y: record[key] ?? Number.NaN }))
    const common = { borderWidth: 2, pointRadius: epochs.length > 1 ? 0 : 3, pointHitRadius: 8, clip: 4 }
    return new Chart(byId<HTMLCanvasElement>(id), {
      type: 'line',
      data: {
        datasets: [
          {
            ...{ label: 'trained on', data: points(trained), borderColor: solid, backgroundColor: solid, ...common }
          },
          {
            ...{ label: 'kept', data: points(validated), borderColor: dashed, backgroundColor: dashed, ...common },
            borderDash: [5, 4]
          }
        ]
      },
      options: {
        ...{ animation: false, responsive: true, maintainAspectRatio: false, parsing: false, normalized: true },
        interaction: { mode: 'index', intersect: false },
        scales: {
          x: { ...axis, type: 'linear', min: 1, max: Math.max(planned, 2), ticks: { color: text, precision: 0 } },
          y: {
            ...axis,
            ...(share
              ? { min: 0, max: 1, ticks: { color: text, callback: value => `${Math.round(Number(value) * 100)}%` } }
              : { min: 0 })
          }
        },
        plugins: {
          legend: { display: false },
          tooltip: { callbacks: { title: ([{ parsed }]) => `epoch ${parsed.x}` } }
        }
      }
    })
  }
  charts = [
    draw('accuracy-chart', 'trainAccuracy', 'validationAccuracy', true),
    draw('loss-chart', 'trainLoss', 'validationLoss', false)
  ]
}
