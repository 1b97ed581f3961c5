import { finalise, floatToHalf, halfToFloat } from '../../runtime/base/index.js'
import {
  type Bindings,
  type Draw,
  drawn,
  type Expected,
  evaluate,
  freeNamesOf,
  type Golden,
  mostGolden,
  type Program,
  sumCount,
  summarise
} from '../../runtime/file/index.js'
import { CompileError } from '../errors.js'
import { Interpreter, type Step } from './reference.js'

/**
 * Golden data (runtime/session/golden.ts): what the double-precision reference makes of a drawn input, and how far a device may be
 * off. That is measured, layer by layer, by a second run in which inputs and every result are off by `noise`: a layer that cancels or
 * magnifies what it is given does so with the noise, a comparison or a rounding that may turn is turned by it.
 */
export interface GoldenOptions {
  /** A whole number from 0 to 2³² - 1; 1 by default. */
  readonly seed?: number
  /** Values of free dimensions; by default 1 for the first axis of an input, and for others the least of 32, 64 and 224 that can be run. */
  readonly dims?: Bindings
  /** Called behind each of the reference's calls, of which there are `total`. */
  readonly onLayer?: (done: number, total: number) => void
}

/**
 * Relative to each element. Some ten times what any kernel in single precision loses (the largest tile of Winograd most),
 * and so much more than sums in another order that chance does not matter.
 */
const noise = 2 ** -18

/** What is smaller may be 0 on a device. */
const smallest = 2 ** -126

/** Limits are so many times what the noise changes, which is told from eight sums. */
const margin = 8

/** Whole numbers, the indices of ArgMax say, that no rounding changes have to be right. */
const wholeLimit = 0.5

const usualSizes = [32, 64, 224]

export function goldenOf(program: Program, { seed = 1, dims = {}, onLayer }: GoldenOptions = {}): Golden {
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32)
    throw new CompileError(`golden seed ${seed}; a whole number from 0 to ${2 ** 32 - 1} is allowed`)
  if (program.states.length) throw new CompileError('golden data of a training step; only networks that infer have any')
  const bindings = sizesFor(program, dims)
  const plan = {
    seed,
    sizes: program.free.map(name => bindings[name]),
    inputs: program.inputs.map(({ dtype }) => drawFor(dtype))
  }
  const feeds = program.inputs.map(({ name, shape }, i) => {
    const count = shape.reduce<number>((product, dim) => product * evaluate(dim, bindings), 1)
    if (count > mostGolden)
      throw new CompileError(`golden input "${name}" has ${count} elements; up to ${mostGolden} are allowed`)
    return drawn({ ...plan, layers: [] }, i, count)
  })
  const interpreter = Interpreter.of(asStored(program))
  const total = 2 * program.calls.length
  const exact = []
  for (const { at, written } of interpreter.steps(feeds, bindings)) {
    overflow(written)
    exact.push({ ...summarise(written), isWhole: written.every(isWhole) })
    onLayer?.(at + 1, total)
  }
  const layers: Expected[] = []
  const disturbed = feeds.map((feed, i) => {
    const own = Float64Array.from(feed)
    if (program.inputs[i].dtype.startsWith('float')) disturb(-1 - i, [own])
    return own
  })
  for (const { at, written } of interpreter.steps(disturbed, bindings)) {
    const { isWhole, ...expected } = exact[at]
    if (!isWhole) disturb(at, written)
    overflow(written)
    const { sums, count } = summarise(written)
    if (count !== expected.count)
      throw new CompileError(
        `golden data of "${program.calls[at].node}": rounding decides which of its elements are finite; try another seed`
      )
    const change = Math.sqrt(sums.reduce((sum, each, k) => sum + (each - expected.sums[k]) ** 2, 0) / sumCount)
    const least = isWhole && change === 0 ? Math.min(noise * expected.norm, wholeLimit / margin) : noise * expected.norm
    layers.push({ ...expected, limit: margin * Math.max(change, least) })
    onLayer?.(program.calls.length + at + 1, total)
  }
  return { ...plan, layers }
}

function sizesFor(program: Program, given: Bindings): Bindings {
  for (const [name, size] of Object.entries(given))
    if (!program.free.includes(name) || !Number.isSafeInteger(size) || size < 1)
      throw new CompileError(
        `golden dimension ${name}=${size}; ${program.free.join(', ') || 'none'} of at least 1 ${program.free.length === 1 ? 'is' : 'are'} free`
      )
  const batches = new Set(program.inputs.flatMap(({ shape: [batch = 1] }) => [...freeNamesOf(batch)]))
  for (const usual of usualSizes) {
    const bindings = Object.fromEntries(
      program.free.map(name => [name, given[name] ?? (batches.has(name) ? 1 : usual)])
    )
    const agrees = program.constraints.every(({ a, b }) => evaluate(a, bindings) === evaluate(b, bindings))
    if (agrees && program.storages.every(size => evaluate(size, bindings) >= 1)) return bindings
  }
  throw new CompileError(
    `golden data: sizes of ${program.free.join(', ')} that the model takes are not known; give them as dims`
  )
}

/** Floats from -1 to below 1 by halves' exact steps (256, so that quantising their range to bytes meets no tie), bytes, truth values, and small whole numbers. */
function drawFor(dtype: string): Draw {
  if (dtype.startsWith('float')) return { low: -1, step: 1 / 128, levels: 256 }
  return { low: 0, step: 1, levels: dtype === 'bool' ? 2 : dtype === 'uint8' ? 256 : 10 }
}

/** The program with its constants as the file will hold them. */
function asStored(program: Program): Program {
  const constants = program.constants.map(constant =>
    constant.stored === 'f16'
      ? { ...constant, data: constant.data.map(value => halfToFloat(floatToHalf(value))) }
      : constant
  )
  return { ...program, constants }
}

/** Up to this every whole number is one of single precision. */
const largestWhole = 2 ** 24
const largestSingle = 3.4028234663852886e38

const isWhole = (elements: Float64Array) =>
  elements.every(value => !Number.isFinite(value) || (Number.isInteger(value) && Math.abs(value) <= largestWhole))

/** What single precision does not hold is infinite on every device. */
function overflow(written: Step['written']): void {
  for (const elements of written)
    for (let i = 0; i < elements.length; i++)
      if (Math.abs(elements[i]) > largestSingle) elements[i] = Math.sign(elements[i]) * Number.POSITIVE_INFINITY
}

function disturb(at: number, written: Step['written']): void {
  let own = finalise(~at)
  for (const elements of written)
    for (let i = 0; i < elements.length; i++) {
      const off = elements[i] * (1 + (finalise(own++) & 1 ? noise : -noise))
      // The largest numbers, which masks are made of, stay numbers.
      if (Math.abs(off) <= largestSingle) elements[i] = off
      if (Math.abs(elements[i]) < smallest) elements[i] = 0
    }
}
