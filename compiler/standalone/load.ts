import {
  areEqual,
  type Call,
  type Constant,
  elementsOf,
  type Program,
  paddedLength,
  payloadOf,
  residentBytes,
  storedLength,
  widthOf
} from '../../runtime/file/index.js'
import { align, constantsOf, isDirect, type Places } from './place.js'
import { folded, squeezed } from './wasm/fold.js'
import { Bytes, type Segment } from './wasm/sections.js'

/**
 * What a module does, as a table of steps that one of its functions goes through: kernels' names, `bring` or `fill`, and operands. Before
 * the first run constants that memory holds otherwise than the file come out of a segment that lies aside, into memory that the
 * arena takes later, are widened and padded, and setup calls derive others from them (runtime/cpu/wasm.ts does the same while a
 * file arrives); a run is the program's calls.
 */
export interface Step {
  readonly do: string
  readonly operands: readonly number[]
}

/** The words that memory has of steps, each with its operation's number in front, in rows. */
export interface Steps {
  readonly at: number
  readonly all: readonly Step[]
  /** Those before the first run. */
  readonly first: number
  readonly operations: readonly string[]
  /** Words of a row. */
  readonly stride: number
}

/** A table that `init` makes. */
interface Folded {
  readonly to: number
  readonly count: number
  /** How many words back those are that words are told by. */
  readonly back: number
  readonly from: number
}

export interface Loading {
  readonly steps: Steps
  /** Constants that memory holds as the file does. */
  readonly direct: readonly (Segment & { readonly at: number })[]
  /** What lies aside; nothing where a model has neither calls nor weights. */
  readonly aside: readonly Uint8Array[]
  /** What is squeezed of the tables: where it stands aside, where it goes, and where it is expanded to. */
  readonly squeezed: { readonly offset: number; readonly bytes: number; readonly to: number; readonly expanded: number }
  readonly tables: readonly Folded[]
}

/** In front of the inputs, which may have been written already, or behind them. */
export function loadingOf(program: Program, calls: readonly Call[], places: Places): Loading {
  const inputs = program.inputs.map(({ storage }) => storage)
  const { arena, plan } = places
  const first = Math.min(...inputs.map(i => plan.offsets[i]))
  const inFront = loadingFrom(arena, program, calls, places)
  if (inFront.end <= arena + first || !inputs.length) return placed(inFront, places)
  const last = Math.max(...inputs.map(i => plan.offsets[i] + plan.blocks[i].bytes))
  return placed(loadingFrom(align(arena + last), program, calls, places), places)
}

type Unplaced = Omit<Loading, 'steps'> & { readonly steps: Omit<Steps, 'at'>; readonly end: number }

/** The steps' rows lie behind everything else, so that nothing depends on where. */
function placed({ steps, tables, end, ...others }: Unplaced, places: Places): Loading {
  places.reach(end)
  const at = places.take(steps.all.length * steps.stride * 4)
  return { ...others, steps: { ...steps, at }, tables: tables.map(table => (table.to ? table : { ...table, to: at })) }
}

function loadingFrom(begin: number, program: Program, calls: readonly Call[], places: Places): Unplaced {
  const { constants, setup, kernels } = program
  let end = begin
  const reach = (to: number) => {
    end = Math.max(end, to)
  }
  const steps: Step[] = []
  const payload = new Bytes()
  const direct: { at: number; bytes: Uint8Array }[] = []
  const offsets = new Map<number, number>()
  const words = constants.map(equalWord)
  const fill = (constant: Constant, word: number, to: number, staging: number) => {
    const isPadded = paddedLength(constant) !== storedLength(constant)
    const width = widthOf(constant.kept)
    const words = Math.ceil((storedLength(constant) * width) / 4)
    const from = isPadded ? staging : to
    steps.push({ do: 'fill', operands: [from, word, words] })
    if (from >= begin) reach(from + words * 4)
    if (to >= begin) reach(to + residentBytes(constant))
    if (isPadded) steps.push({ do: 'unpack', operands: [from, to, ...panelsOf(constant), width] })
  }
  const bring = (index: number, to: number, staging: number) => {
    const constant = constants[index]
    const word = words[index]
    if (word !== undefined) {
      fill(constant, word, to, staging)
      return
    }
    const bytes = payloadOf(constant)
    if (!offsets.has(index)) {
      offsets.set(index, payload.length)
      payload.add(bytes)
    }
    const first = isDirect(constant) ? to : staging
    steps.push({ do: 'bring', operands: [first, offsets.get(index)!, bytes.length] })
    reach(first + bytes.length)
    if (to >= begin) reach(to + residentBytes(constant))
    if (isDirect(constant)) return
    const count = storedLength(constant)
    const isPadded = paddedLength(constant) !== count
    const width = widthOf(constant.kept)
    const widened = constant.kept === constant.stored ? first : isPadded ? align(first + bytes.length) : to
    if (constant.kept !== constant.stored) {
      steps.push({ do: 'widen', operands: [first, widened, count] })
      reach(widened + count * width)
    }
    if (isPadded) steps.push({ do: 'unpack', operands: [widened, to, ...panelsOf(constant), width] })
  }
  constants.forEach((constant, index) => {
    const at = places.constants[index]
    if (at < 0 || !residentBytes(constant)) return
    if (isDirect(constant) && words[index] === undefined) direct.push({ at, bytes: payloadOf(constant) })
    else bring(index, at, begin)
  })
  setup.forEach((call, i) => {
    const staged = new Map<number, number>()
    let free = begin
    for (const index of constantsOf(call)) {
      if (places.constants[index] >= 0 || staged.has(index)) continue
      staged.set(index, free)
      const behind = align(free + residentBytes(constants[index]))
      bring(index, free, behind)
      free = behind
    }
    const addresses = call.arguments.map(argument =>
      argument.space === 'constant' && staged.has(argument.index)
        ? staged.get(argument.index)!
        : places.addressOf(argument)
    )
    steps.push({ do: kernels[call.kernel].name, operands: [places.setupBlocks[i], ...addresses] })
  })
  const first = steps.length
  calls.forEach(({ kernel, arguments: buffers }, i) => {
    const addresses = buffers.map(each => places.addressOf(each))
    steps.push({ do: kernels[kernel].name, operands: [places.blocks[i], ...addresses] })
  })
  const operations = [...new Set(steps.map(step => step.do))]
  const stride = 1 + Math.max(0, ...steps.map(({ operands }) => operands.length))
  const rows = steps.flatMap(step => {
    const unused = Array(stride - 1 - step.operands.length).fill(0)
    return [operations.indexOf(step.do), ...step.operands, ...unused]
  })
  const folds = new Bytes()
  const tables: Folded[] = []
  const fold = (to: number, words: ArrayLike<number>, stride: number) => {
    const { bytes, back } = folded(words, stride)
    tables.push({ to, count: words.length, back, from: folds.length })
    folds.add(bytes)
  }
  const { groups, bytes, at } = places.table
  groups.forEach((group, i) => {
    const own = bytes.slice(group.at - at, (groups[i + 1]?.at ?? at + bytes.length) - at)
    fold(group.at, new Int32Array(own.buffer), group.stride)
  })
  if (rows.length) fold(0, rows, stride)
  const small = squeezed(folds.finish())
  const expanded = align(begin + small.length)
  reach(expanded + folds.length)
  return {
    steps: { all: steps, first, operations, stride },
    direct,
    aside: tables.length ? [payload.add(small).finish()] : [],
    squeezed: { offset: payload.length - small.length, bytes: small.length, to: begin, expanded },
    tables: tables.map(table => ({ ...table, from: expanded + table.from })),
    end
  }
}

/** Elements from which on a module has one for all that are equal. */
const manyEqual = 16384

/** The word that memory repeats of a constant whose elements are all equal, where that is worth it. */
function equalWord(constant: Constant): number | undefined {
  const { data, stored, kept } = constant
  if (kept === 'i8' || data.length < manyEqual || !areEqual(data)) return undefined
  const bytes = payloadOf({ ...constant, data: data.subarray(0, 1) })
  if (kept === 'f16') return new Uint16Array(bytes.buffer, bytes.byteOffset, 1)[0] * 0x10001
  return new Uint32Array(elementsOf(stored, bytes).slice().buffer)[0]
}

const panelsOf = ({ groups, rows, columns, panel }: Constant) => [groups, rows, columns, panel]
