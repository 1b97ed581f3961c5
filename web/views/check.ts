import { byId, el, facts, table } from '../dom.js'
import { type Difference, difference } from '../engine/compare.js'
import { labelOf } from '../engine/devices.js'
import { Engine } from '../engine/engine.js'
import type { Job, Progress, Ran } from '../engine/protocol.js'
import { ms, short } from '../numbers.js'
import { announce } from './status.js'

/** Above this, relative, two devices do not agree; `cairn verify` has the same limit. */
const tolerance = 1e-3

/** The same input on the CPU and on another device, in an engine of its own that can be stopped. */
export class Check {
  private engine: Engine | undefined

  async run(
    file: Uint8Array<ArrayBuffer>,
    against: string,
    job: Job,
    onProgress: (progress: Progress) => void
  ): Promise<void> {
    const engine = new Engine()
    this.engine = engine
    byId('check-stop').hidden = false
    byId('checked').replaceChildren()
    try {
      const { id } = await engine.ask('open', { name: 'check', from: file, weights: 'f32' })
      const runs: Ran[] = []
      for (const device of ['wasm', against]) {
        onProgress({ done: runs.length, total: 2, what: labelOf(device) })
        await engine.ask('load', { id, device, threads: 1 })
        runs.push(await engine.ask('run', job))
      }
      showDifferences(runs[0], runs[1], against)
    } finally {
      engine.end()
      byId('check-stop').hidden = true
    }
  }

  stop(): void {
    this.engine?.end()
  }
}

function showDifferences(own: Ran, other: Ran, against: string): void {
  const differences = own.outputs.map((output, i) => difference(output, other.outputs[i]))
  const most = differences.reduce((a, b) => (b.relative > a.relative ? b : a))
  const agree = most.relative <= tolerance
  const verdict = agree
    ? `They agree: the largest error is ${short(most.relative)} of the output's largest number.`
    : `They differ: ${most.name} is off by ${short(most.relative)} of its largest number; ${tolerance} is allowed.`
  byId('checked').replaceChildren(
    el('p', { className: 'verdict' }, verdict),
    facts([
      [labelOf('wasm'), ms(own.milliseconds)],
      [labelOf(against), ms(other.milliseconds)]
    ]),
    el('div', { className: 'scroll' }, differenceTable(differences))
  )
  announce(verdict)
}

function differenceTable(differences: readonly Difference[]): HTMLTableElement {
  const rows = differences.map(({ name, absolute, relative }) => [name, short(absolute), short(relative)])
  return table('Differences', ['output', 'largest error', 'relative'], rows, 1)
}
