import { type Bindings, type Constant, type Program, planProgram, residentBytes } from '../../runtime/file/index.js'

/** The memory plan of a program with its free dimensions bound, told in names: for tables and pictures. */
export interface MemoryPlan {
  /** Bytes. */
  readonly arena: number
  /** The largest sum of bytes that are live at once: no plan can need less. */
  readonly lowerBound: number
  /** Kernel calls of a run. */
  readonly calls: number
  /** All that lies in the arena at some time. */
  readonly storages: readonly PlannedStorage[]
}

/** A piece of the arena, and the calls during which it is in use. */
export interface PlannedStorage {
  /** The node that first writes it, or the port that it is. */
  readonly name: string
  /** Its size. */
  readonly bytes: number
  /** Bytes from the begin of the arena. */
  readonly offset: number
  /** First and last call that touches it: -1 is before the first call, `calls` behind the last. */
  readonly first: number
  /** The last call that touches it; as many as there are calls for an output. */
  readonly last: number
}

/** A program as compiled, or as the header of a file describes it. */
export type WithConstants = Omit<Program, 'constants'> & { readonly constants: readonly Omit<Constant, 'data'>[] }

/** Bytes of what lies beside the arena: constants that calls read, and what setup derives from others. */
export function weightBytes({ calls, constants, derived }: WithConstants): number {
  const read = calls.flatMap(call => call.arguments.filter(({ space }) => space === 'constant'))
  const resident = [...new Set(read.map(({ index }) => index))].map(index => residentBytes(constants[index]))
  return [...resident, ...derived.map(length => length * 4)].reduce((sum, bytes) => sum + bytes, 0)
}

export type Schedule = Omit<Program, 'constants'>

export function memoryPlan(program: Schedule, bindings: Bindings, threads = 1): MemoryPlan {
  const { bytes: arena, lowerBound, blocks, offsets } = planProgram(program, bindings, threads)
  const names = storageNames(program)
  const storages = blocks
    .map(({ bytes, first, last }, i) => ({ name: names[i], bytes, offset: offsets[i], first, last }))
    .filter(({ bytes }) => bytes > 0)
  return { arena, lowerBound, calls: program.calls.length, storages }
}

function storageNames({ storages, inputs, outputs, calls }: Schedule): string[] {
  const names = storages.map((_, i) => `storage ${i}`)
  const named = new Set<number>()
  const name = (index: number, text: string) => {
    if (!named.has(index)) names[index] = text
    named.add(index)
  }
  for (const input of inputs) name(input.storage, `input ${input.name}`)
  for (const call of calls)
    for (const { space, index, access } of call.arguments)
      if (space === 'storage' && access !== 'read')
        name(index, access === 'write' ? call.node : `${call.node} (scratch)`)
  for (const output of outputs) name(output.storage, `output ${output.name}`)
  return names
}
