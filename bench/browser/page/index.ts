// The page of `npm run bench:browser`: opens every runtime on one network, compares outputs, then times all in turns.
import type { Feed, Output } from '../../../cli/measure/index.js'
import { engines, type InPage } from './engines.js'
import type { Entry, Result, Task } from './task.js'

/** Threads of others, which wait in circles for a while after a run, are asleep when the next runtime has its turn. */
const rest = 20

async function measure({ threads, seconds, feeds, entries }: Task): Promise<Result[]> {
  // Node's own parts of that room do not load in a page.
  const { interleave } = await import('../../../cli/measure/interleave.js')
  if (!crossOriginIsolated) throw new Error('the page is not isolated: nobody would have threads')
  const given = await Promise.all(
    feeds.map(
      async ({ name, dims, url }): Promise<Feed> => ({
        ...{ name, dims, type: 'float32' },
        data: new Float32Array((await bytesAt(url)).buffer)
      })
    )
  )
  const results: Result[] = []
  const running: { readonly at: number; readonly opened: InPage }[] = []
  const own = new Map<string, readonly Output[]>()
  for (const [at, entry] of entries.entries()) {
    const { engine, numbers, tolerance } = entry
    results.push({ engine, numbers })
    try {
      const opened = await engines[engine](await bytesAt(entry.url), given, threads, entry)
      const outputs = await opened.run()
      if (engine === 'cairn') own.set(numbers, outputs)
      const error = engine === 'cairn' ? 0 : worst(own.get(numbers)!, outputs)
      results[at] = { engine, numbers, error, partly: opened.partly }
      if (error <= tolerance) running.push({ at, opened })
      else results[at] = { ...results[at], refusal: `its outputs differ by ${error.toExponential(1)} of their maximum` }
    } catch (error) {
      results[at] = { engine, numbers, refusal: refusalOf(entry, error) }
    }
  }
  const times = await interleave(
    running.map(({ opened }) => opened),
    { seconds, rest: threads > 1 ? rest : 0 }
  )
  for (const [i, { at }] of running.entries()) results[at] = { ...results[at], times: times[i] }
  return results
}

function refusalOf({ engine }: Entry, error: unknown): string {
  if (engine === 'cairn') throw error
  return `it fails: ${(error instanceof Error ? error.message : String(error)).split('\n')[0]}`
}

async function bytesAt(url: string): Promise<Uint8Array> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url}: ${response.status}`)
  return new Uint8Array(await response.arrayBuffer())
}

/** The largest difference over the largest value, of all outputs. */
function worst(ours: readonly Output[], theirs: readonly Output[]): number {
  const errors = ours.map((output, i) => {
    const other = theirs.find(({ name }) => name === output.name) ?? theirs[i]
    if (other?.data.length !== output.data.length) return Number.POSITIVE_INFINITY
    let [difference, most] = [0, 0]
    for (let at = 0; at < output.data.length; at++) {
      const [a, b] = [Number(output.data[at]), Number(other.data[at])]
      if (Number.isNaN(a) || Number.isNaN(b)) return Number.POSITIVE_INFINITY
      difference = Math.max(difference, Math.abs(a - b))
      most = Math.max(most, Math.abs(a))
    }
    return difference / most
  })
  return Math.max(...errors)
}

Object.assign(globalThis, { measure })
