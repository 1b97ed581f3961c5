import { mostMemory } from '../backend/index.js'
import { CairnError } from '../base/index.js'
import { type Call, type Header, residentBytes, type Section } from '../file/index.js'
import { tableLength } from './lockstep.js'

/** How the CPU path divides its one linear memory. */
export const page = 65536

/** Byte addresses of what stays in memory. */
export interface Layout {
  /** -1 for a constant that only setup calls read: it is in memory while they run. */
  readonly constants: readonly number[]
  readonly derived: readonly number[]
  readonly arena: number
  /** The tables of calls of all threads but the first, and the bytes from one to the next. */
  readonly tables: number
  readonly tableBytes: number
}

export const align = (at: number) => Math.ceil(at / 64) * 64

export function layoutOf({ calls, setup, constants, derived }: Header, threads: number): Layout {
  const words = (list: readonly Call[]) => list.map(call => call.parameters.length)
  let at =
    page +
    4 *
      Math.max(
        words(calls).reduce((a, b) => a + b, 0),
        ...words(setup)
      )
  const place = (bytes: number) => {
    const start = align(at)
    at = start + bytes
    return start
  }
  const tableBytes = align(tableLength(calls) * 4)
  const tables = place((threads - 1) * tableBytes)
  const read = new Set<number>()
  for (const call of calls) for (const { space, index } of call.arguments) if (space === 'constant') read.add(index)
  return {
    constants: constants.map((constant, i) => (read.has(i) ? place(residentBytes(constant)) : -1)),
    derived: derived.map(length => place(length * 4)),
    arena: align(at),
    tables,
    tableBytes
  }
}

/** Memory behind the arena's beginning that loading needs at most, at any one time. */
export function stagingBytes({ constants, setup }: Header): number {
  const staged = constants.map(constant => (isDirect(constant) ? 0 : align(constant.bytes)))
  const perCall = setup.map(call =>
    call.arguments.reduce(
      (sum, { space, index }) =>
        sum + (space === 'constant' ? align(residentBytes(constants[index])) + staged[index] : 0),
      0
    )
  )
  return Math.max(0, ...staged, ...perCall)
}

/** Stored as memory wants it: every element, of that precision, without a padded panel. */
export function isDirect(constant: Section): boolean {
  return constant.stored === constant.kept && constant.bytes === residentBytes(constant)
}

/** Shared memory has to say how far it may grow; where so much cannot be reserved, less has to do. */
export function newMemory(initial: number, shared: boolean): WebAssembly.Memory {
  for (let maximum = mostMemory / page; ; maximum = Math.max(Math.ceil(maximum / 2), initial)) {
    try {
      return new WebAssembly.Memory(shared ? { initial, maximum, shared } : { initial })
    } catch (error) {
      if (!shared || maximum === initial)
        throw new CairnError(`no memory for ${initial * page} bytes: ${(error as Error).message}`)
    }
  }
}

/** Page 0 comes on top of what is allowed: it is the runtime's, not the model's. */
export function pages(bytes: number, maxMemory: number, what: string): number {
  const allowed = Math.min(maxMemory + page, mostMemory)
  if (!(bytes <= allowed))
    throw new CairnError(
      `the model, ${what}, needs ${bytes} bytes; maxMemory allows ${Math.min(maxMemory, mostMemory)}`
    )
  return Math.ceil(bytes / page)
}

/** The constants that a call reads. */
export function constantsOf(call: Call): number[] {
  return call.arguments.filter(({ space }) => space === 'constant').map(({ index }) => index)
}
