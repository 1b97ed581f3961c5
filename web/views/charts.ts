import type { CallTime } from 'cairnjs'
import { BarController, BarElement, CategoryScale, Chart, LinearScale, Tooltip } from 'chart.js'
import { byId } from '../dom.js'
import { ms, percent, plural } from '../numbers.js'

Chart.register(BarController, BarElement, CategoryScale, LinearScale, Tooltip)

export interface KernelTime {
  readonly kernel: string
  readonly calls: number
  readonly milliseconds: number
}

/** The two charts of a profile, in the colours that the page has now. */
let charts: Chart[] = []

export function drawCharts(calls: readonly CallTime[], kernels: readonly KernelTime[], total: number): void {
  for (const chart of charts) chart.destroy()
  const text = getComputedStyle(byId('profile-sum')).color
  const line = getComputedStyle(byId('profiled').closest('.panel')!).borderTopColor
  const colours = new Map(kernels.map(({ kernel }, i) => [kernel, `hsl(${Math.round((160 + i * 67) % 360)} 48% 50%)`]))
  const axis = { ticks: { color: text }, grid: { color: line }, border: { color: line } }
  const common = { animation: false, responsive: true, maintainAspectRatio: false } as const
  byId('kernel-box').style.height = `${kernels.length * 1.9 + 2.5}rem`
  charts = [
    new Chart(byId<HTMLCanvasElement>('kernel-chart'), {
      type: 'bar',
      data: {
        labels: kernels.map(({ kernel }) => kernel),
        datasets: [
          {
            data: kernels.map(each => each.milliseconds),
            backgroundColor: kernels.map(each => colours.get(each.kernel)),
            maxBarThickness: 22
          }
        ]
      },
      options: {
        ...common,
        indexAxis: 'y',
        scales: {
          x: { ...axis, title: { display: true, text: 'ms', color: text } },
          y: { ...axis, grid: { display: false } }
        },
        plugins: {
          legend: { display: false },
          tooltip: { callbacks: { label: ({ dataIndex }) => kernelLine(kernels[dataIndex], total) } }
        }
      }
    }),
    new Chart(byId<HTMLCanvasElement>('call-chart'), {
      type: 'bar',
      data: {
        labels: calls.map((_, i) => String(i + 1)),
        datasets: [
          {
            data: calls.map(call => call.milliseconds),
            backgroundColor: calls.map(call => colours.get(call.kernel)),
            barPercentage: 1,
            categoryPercentage: 0.92
          }
        ]
      },
      options: {
        ...common,
        scales: {
          x: { ...axis, grid: { display: false }, title: { display: true, text: 'call', color: text } },
          y: { ...axis, title: { display: true, text: 'ms', color: text } }
        },
        plugins: {
          legend: { display: false },
          tooltip: {
            callbacks: {
              title: ([{ dataIndex }]) => calls[dataIndex].node,
              label: ({ dataIndex }) => `${calls[dataIndex].kernel}, ${ms(calls[dataIndex].milliseconds)}`
            }
          }
        }
      }
    })
  ]
}

function kernelLine({ calls, milliseconds }: KernelTime, total: number): string {
  return `${plural(calls, 'call')}, ${ms(milliseconds)}, ${percent(milliseconds / total)}`
}
