import type { CallTime } from 'cairnjs'
import { byId, table } from '../dom.js'
import { ms, percent, plural } from '../numbers.js'
import type { KernelTime } from './charts.js'
import { showFailure } from './status.js'

/** Where a run's time goes: by kernel, and call by call. */
let shown: readonly CallTime[] | undefined

export async function showLayers(calls: readonly CallTime[] | undefined): Promise<void> {
  shown = calls
  byId('profiled').hidden = calls === undefined
  byId('no-profile').hidden = calls !== undefined
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
  // Charts are more than half of the page's code, and most visits need none.
  const { drawCharts } = await import('./charts.js')
  if (shown === calls) drawCharts(calls, kernels, total)
}

function byKernel(calls: readonly CallTime[]): KernelTime[] {
  const sums = new Map<string, KernelTime>()
  for (const { kernel, milliseconds } of calls) {
    const sum = sums.get(kernel) ?? { kernel, calls: 0, milliseconds: 0 }
    sums.set(kernel, { kernel, calls: sum.calls + 1, milliseconds: sum.milliseconds + milliseconds })
  }
  return [...sums.values()].sort((a, b) => b.milliseconds - a.milliseconds)
}

document.addEventListener('themed', () => void showLayers(shown).catch(showFailure))
