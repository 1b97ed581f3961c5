// A usual run takes a share of what is many or large: the seed says which. CAIRN_ALL=1 and CAIRN_ONLY take all.
import { baseSeed } from './random.js'

const all = Boolean(process.env.CAIRN_ALL || process.env.CAIRN_ONLY)

/** Whether this run takes number `index` of a list of which it takes one in `interval`. */
export const isTaken = (index: number, interval: number): boolean => all || (index + baseSeed) % interval === 0

/** Networks of more parameters take seconds each. */
const manyParameters = 20e6

/** Why this run leaves out network number `index`: it has more than `largest` parameters, or is large and not drawn. */
export function whyLeftOut(index: number, parameters: number, largest: number): string | undefined {
  if (all) return undefined
  const size = `${Math.round(parameters / 1e6)} million parameters`
  if (parameters > largest) return `${size}; CAIRN_ALL=1 runs it`
  if (parameters > manyParameters && !isTaken(index, 3)) return `${size}; the seed takes one in three, CAIRN_ALL=1 all`
  return undefined
}
