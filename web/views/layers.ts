import type { CallTime } from 'cairn'
import { BarController, BarElement, CategoryScale, Chart, LinearScale, Tooltip } from 'chart.js'
import { byId, table } from '../dom.js'
import { ms, percent, plural } from '../numbers.js'

Chart.register(BarController, BarElement, CategoryScale, LinearScale, Tooltip)

/** Where a run's time goes: by kernel, and call by call. */
interface KernelTime {
  readonly kernel: string
  readonly calls: number
  readonly milliseconds: number
}

let charts: Chart[] = []
let shown: readonly CallTime[] | undefined

export function showLayers(calls: readonly CallTime[] | undefined): void {
  shown = calls
  byId('profiled').hidden = calls === undefined
  byId('no-profile').hidden = calls !== undefined
  for (const chart of charts) chart.destroy()
  charts = []
  if (!calls) return
  const kernels = byKernel(calls)
  const total = kernels.reduce((sum, { milliseconds }) => sum + milliseconds, 0)
  byId('profile-sum').textContent = `${plural(calls.length, 'call')}, ${ms(total)} together; each bar is a median.`
  byId('profile-tables').replaceChildren(
    table(
      'Time by kernel',
      ['kernel', 'calls', 'time', 'share'],
      kernels.map(each => [each.kernel, String(each.calls), ms(each.milliseconds), percent(each.milliseconds / total)]),
      1
    ),
    table(
      'Time of each call',
      ['node', 'kernel', 'time', 'share'],
      calls.map(each => [each.node, each.kernel, ms(each.milliseconds), percent(each.milliseconds / total)]),
      2
    )
  )
  drawCharts(calls, kernels, total)
}

function byKernel(calls: readonly CallTime[]): KernelTime[] {
  const sums = new Map<string, KernelTime>()
  for (const { kernel, milliseconds } of calls) {
    const sum = sums.get(kernel) ?? { kernel, calls: 0, milliseconds: 0 }
    sums.set(kernel, { kernel, calls: sum.calls + 1, milliseconds: sum.milliseconds + milliseconds })
  }
  return [...sums.values()].sort((a, b) => b.milliseconds - a.milliseconds)
}

function drawCharts(calls: readonly CallTime[], kernels: readonly KernelTime[], total: number): void {
  const style = getComputedStyle(document.documentElement)
  const [text, line] = ['--muted', '--line'].map(name => style.getPropertyValue(name))
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
        plugins: { tooltip: { callbacks: { label: ({ dataIndex }) => kernelLine(kernels[dataIndex], total) } } }
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

document.addEventListener('themed', () => showLayers(shown))
