import type { Spread } from './statistics.js'

/** Anything that is timed against something else. */
export interface Contestant {
  run(): Promise<unknown> | unknown
}

export interface Patience {
  /** Time for all rounds together. */
  readonly seconds: number
  /** Rounds at least, whatever they take, and at most. */
  readonly least?: number
  readonly most?: number
  /** Milliseconds of nothing before each turn, in which threads that still wait for more to do fall asleep. */
  readonly rest?: number
}

/**
 * Milliseconds of each contestant in each round. A round runs all of them, another one first each time, so that a
 * machine that slows down slows all of them down and nobody always inherits the same caches.
 */
export async function interleave(
  contestants: readonly Contestant[],
  { seconds, least = 5, most = 300, rest = 0 }: Patience
): Promise<number[][]> {
  const times = contestants.map((): number[] => [])
  for (const { run } of contestants) await run()
  const end = performance.now() + seconds * 1000
  for (let round = 0; round < least || (round < most && performance.now() < end); round++)
    for (let i = 0; i < contestants.length; i++) {
      const turn = (i + round) % contestants.length
      if (rest) await new Promise(resolve => setTimeout(resolve, rest))
      times[turn].push(await milliseconds(contestants[turn].run))
    }
  return times
}

async function milliseconds(work: Contestant['run']): Promise<number> {
  const start = performance.now()
  const pending = work()
  if (pending instanceof Promise) await pending
  return performance.now() - start
}

/** `13.87 (13.80-14.02)`. */
export const showSpread = ({ median, low, high }: Spread, digits = 2) =>
  `${median.toFixed(digits)} (${low.toFixed(digits)}-${high.toFixed(digits)})`

/** Gigaflops a second from multiply-accumulates and milliseconds. */
export const gflops = (macs: number, milliseconds: number) => (2 * macs) / milliseconds / 1e6
