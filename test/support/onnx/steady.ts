// Whether a comparison has an answer: where the last bits of the inputs decide, two right ways of rounding give two results.
import { errorOf, tolerance } from '../compare.js'
import { Random } from '../random.js'
import type { ModelBuilder } from './model.js'
import { type Bindings, type Named, type Numbers, Oracle, randomFeeds, spellSigmoids } from './oracle.js'

/** By how much of themselves inputs are moved: some thirty times what a layer rounds by. */
export const nudge = 2 ** -18

export interface Run {
  readonly feeds: Named
  readonly expected: Named
}

export interface Steadiness {
  /** How far outputs may move, as they are compared: of their largest, or of `floor` where that is more. */
  readonly limit?: number
  readonly floor?: number
  /** How often the inputs are moved, each time to both sides; with 0 any are steady. */
  readonly pairs?: number
  /** By how much of themselves inputs are moved. */
  readonly by?: number
}

/**
 * Inputs of which the last bits do not decide, drawn again until they are so, and what the oracle makes of them; throws where
 * twenty are not.
 */
export async function steadyRun(
  oracle: Oracle,
  draw: () => Named,
  random: Random,
  asked: Steadiness = {}
): Promise<Run> {
  for (let i = 0; i < 20; i++) {
    const feeds = draw()
    const run = { feeds, expected: await oracle.run(feeds) }
    if (await isSteady(oracle, run, random, { pairs: 2, ...asked })) return run
  }
  throw new Error('of twenty inputs the last bits decide what comes out')
}

/** Steady inputs of a model for each of its sizes, by an oracle whose Sigmoids are spelled out. */
export async function steadyFeeds(model: ModelBuilder, sizes: readonly Bindings[], random: Random): Promise<Named[]> {
  const oracle = await Oracle.load(spellSigmoids(model.encode()))
  const feeds: Named[] = []
  for (const bindings of sizes) {
    const run = await steadyRun(oracle, () => randomFeeds(model.inputs, random, bindings), random)
    feeds.push(run.feeds)
  }
  await oracle.release()
  return feeds
}

/**
 * Whether the oracle gives `expected` within `limit` of inputs that are moved by their last bits as well, `pairs` times at
 * random and the opposite way. Scores that all but tie, sums that all but cancel and numbers at the edge of a step give
 * others, and so may every backend.
 */
export async function isSteady(
  oracle: Oracle,
  run: Run,
  random: Random,
  { limit = tolerance, ...asked }: Steadiness = {}
): Promise<boolean> {
  return (await farthest(oracle, run, random, asked, limit)) <= limit
}

/** How far outputs move, as they are compared, when inputs are moved; it is not looked for more than `enough`. */
export async function farthest(
  oracle: Oracle,
  { feeds, expected }: Run,
  random: Random,
  { floor = 0, pairs = 1, by = nudge }: Omit<Steadiness, 'limit'> = {},
  enough = Number.POSITIVE_INFINITY
): Promise<number> {
  if (!Object.values(feeds).some(({ dtype }) => dtype === 'float32')) return 0
  let far = 0
  for (let i = 0; i < pairs; i++) {
    const seed = random.int(0, 2 ** 31 - 1)
    for (const side of [-1, 1]) {
      const signs = new Random('signs', seed)
      const moved = Object.entries(feeds).map(([name, numbers]) => [name, movedBy(numbers, side * by, signs)])
      const others = await oracle.run(Object.fromEntries(moved))
      for (const [name, wanted] of Object.entries(expected))
        far = Math.max(far, errorOf(others[name], wanted, floor).error)
      if (far > enough) return far
    }
  }
  return far
}

function movedBy(numbers: Numbers, by: number, signs: Random): Numbers {
  if (numbers.dtype !== 'float32') return numbers
  const data = Float32Array.from(numbers.data, value => value * (1 + (signs.chance(0.5) ? by : -by)))
  return { ...numbers, data }
}
