import {
  type Argument,
  type Bindings,
  type Call,
  type Constant,
  evaluate,
  type Plan,
  type Program,
  paddedLength,
  planProgram,
  residentBytes,
  type resultsOf,
  storedLength
} from '../../runtime/file/index.js'

/**
 * Where everything of a model is in the memory of its own module: the kernels' statics, the blocks of parameters, constants,
 * what is derived from them, and the arena; as the CPU path has it (runtime/cpu/layout.ts), but for one thread and with all sizes
 * known.
 */
export interface Places {
  readonly plan: Plan
  /** The parameter blocks, which nothing writes to. */
  readonly table: {
    readonly at: number
    readonly bytes: Uint8Array
    /** Where the blocks of a kernel begin, and words of one. */
    readonly groups: readonly { readonly at: number; readonly stride: number }[]
  }
  /** Addresses of those of calls and of setup calls. */
  readonly blocks: readonly number[]
  readonly setupBlocks: readonly number[]
  /** -1 for a constant that only setup calls read. */
  readonly constants: readonly number[]
  readonly derived: readonly number[]
  readonly arena: number
  /** Bytes that a call's argument begins at. */
  addressOf(argument: Omit<Argument, 'access'>): number
  /** Takes memory for tables, behind everything else. */
  take(bytes: number): number
  /** What is taken from now on lies behind that address. */
  reach(end: number): void
  /** Bytes of memory that the module needs. */
  end(): number
}

/** What kernels have in front of the model: constants from 1024, and from 8192 on what one thread keeps (asm/thread.ts). */
export const front = 8192 + 3072

/** Bytes behind the arena that the kernels' last vectors may read, not write. */
const overread = 64

export const align = (at: number) => Math.ceil(at / 64) * 64

/** Stored as memory wants it: of that precision, without a padded panel. */
export const isDirect = (constant: Constant) =>
  constant.stored === constant.kept && paddedLength(constant) === storedLength(constant)

/** The constants that a call reads. */
export const constantsOf = (call: Call) =>
  call.arguments.filter(({ space }) => space === 'constant').map(({ index }) => index)

/** Parameter blocks by kernel, of which calls share equal ones. */
function blocksOf({ calls, setup, kernels }: Program, bindings: Bindings, begin: number) {
  const all = [...calls, ...setup]
  const known = new Map<string, number>()
  const words: number[] = []
  const groups = kernels.flatMap(({ fields }, kernel) => {
    const at = begin + words.length * 4
    for (const call of all) {
      if (call.kernel !== kernel) continue
      const key = keyOf(call)
      if (!known.has(key)) known.set(key, begin + (words.push(...wordsOf(call)) - fields.length) * 4)
    }
    return words.length * 4 > at - begin ? [{ at, stride: fields.length }] : []
  })
  const addressOf = (call: Call) => known.get(keyOf(call))!
  const table = { at: begin, bytes: new Uint8Array(Int32Array.from(words).buffer), groups }
  return { table, blocks: calls.map(addressOf), setupBlocks: setup.map(addressOf) }

  function wordsOf({ kernel, parameters }: Call): number[] {
    return parameters.map((parameter, i) => {
      const value = evaluate(parameter, bindings)
      return kernels[kernel].fields[i] === 'f' ? new Int32Array(Float32Array.of(value).buffer)[0] : value | 0
    })
  }
  function keyOf(call: Call): string {
    return `${call.kernel}: ${wordsOf(call)}`
  }
}

export function placeModel(program: Program, bindings: Bindings): Places {
  const plan = planProgram(program, bindings)
  const { calls, constants } = program
  let at = front
  const place = (bytes: number) => {
    const start = align(at)
    at = start + bytes
    return start
  }
  const { table, blocks, setupBlocks } = blocksOf(program, bindings, at)
  at += table.bytes.length
  const read = new Set(calls.flatMap(constantsOf))
  const placed = constants.map((constant, i) => (read.has(i) ? place(residentBytes(constant)) : -1))
  const derived = program.derived.map(length => place(length * 4))
  const narrow = new Set(program.narrow)
  const arena = place(plan.bytes)
  at += overread
  return {
    plan,
    table,
    blocks,
    setupBlocks,
    constants: placed,
    derived,
    arena,
    addressOf({ space, index, offset }) {
      const from =
        space === 'storage' ? arena + plan.offsets[index] : space === 'constant' ? placed[index] : derived[index]
      // Of nothing a view may begin anywhere.
      if (space === 'storage' && plan.blocks[index].bytes === 0) return from
      return from + evaluate(offset, bindings) * (space === 'storage' && narrow.has(index) ? 1 : 4)
    },
    take: place,
    reach(end) {
      at = Math.max(at, end)
    },
    end: () => at
  }
}

/** Address and elements of an input, an output, or what else a run leaves to be read. */
export function portAt(
  { storage, offset, shape }: ReturnType<typeof resultsOf>[number],
  places: Places,
  bindings: Bindings
): { at: number; length: number; shape: number[] } {
  const sizes = shape.map(dim => evaluate(dim, bindings))
  const at = places.addressOf({ space: 'storage', index: storage, offset })
  return { at, length: sizes.reduce((a, b) => a * b, 1), shape: sizes }
}
