import {
  type Constant,
  type Program,
  paddedLength,
  payloadOf,
  residentBytes,
  storedLength,
  widthOf
} from '../../runtime/file/index.js'
import { align, constantsOf, isDirect, type Places } from './place.js'
import { Bytes, type Segment } from './wasm/sections.js'

/**
 * What a module does before its first run: parameter blocks become words, constants that memory holds otherwise than the file come out of segments that lie
 * aside, into memory that the arena takes later, are widened and padded, and setup calls derive others from them
 * (runtime/cpu/wasm.ts does the same while a file arrives).
 */
export type Step =
  | { readonly do: 'bring'; readonly segment: number; readonly to: number; readonly bytes: number }
  | { readonly do: 'drop'; readonly segment: number }
  | { readonly do: 'widen'; readonly from: number; readonly to: number; readonly count: number }
  | {
      readonly do: 'unpack'
      readonly from: number
      readonly to: number
      readonly constant: Constant
      readonly width: number
    }
  | {
      readonly do: 'unfold'
      readonly from: number
      readonly to: number
      readonly count: number
      readonly stride: number
    }
  | { readonly do: 'setup'; readonly call: number; readonly addresses: readonly number[] }

export interface Loading {
  readonly steps: readonly Step[]
  /** Constants that memory holds as the file does. */
  readonly direct: readonly (Segment & { readonly at: number })[]
  /** Segments that lie aside, in the order of their numbers. */
  readonly aside: readonly Uint8Array[]
  /** Memory up to there is written to. */
  readonly end: number
}

/** In front of the inputs, which may have been written already, or behind them. */
export function loadingOf(program: Program, places: Places): Loading {
  const inputs = program.inputs.map(({ storage }) => storage)
  const { arena, plan } = places
  const first = Math.min(...inputs.map(i => plan.offsets[i]))
  const inFront = loadingFrom(arena, program, places)
  if (inFront.end <= arena + first || !inputs.length) return inFront
  const last = Math.max(...inputs.map(i => plan.offsets[i] + plan.blocks[i].bytes))
  return loadingFrom(align(arena + last), program, places)
}

function loadingFrom(begin: number, program: Program, places: Places): Loading {
  const { constants, setup } = program
  let end = begin
  const reach = (to: number) => {
    end = Math.max(end, to)
  }
  const steps: Step[] = []
  const aside: Uint8Array[] = []
  const direct: { at: number; bytes: Uint8Array }[] = []
  const numbers = new Map<number, number>()
  const segmentOf = (index: number) => {
    if (!numbers.has(index)) numbers.set(index, aside.push(payloadOf(constants[index])) - 1)
    return numbers.get(index)!
  }
  const bring = (index: number, to: number, staging: number) => {
    const constant = constants[index]
    const segment = segmentOf(index)
    const bytes = aside[segment].length
    const first = isDirect(constant) ? to : staging
    steps.push({ do: 'bring', segment, to: first, bytes })
    reach(first + bytes)
    if (to >= begin) reach(to + residentBytes(constant))
    if (isDirect(constant)) return
    const count = storedLength(constant)
    const isPadded = paddedLength(constant) !== count
    if (constant.kept === constant.stored) {
      steps.push({ do: 'unpack', from: first, to, constant, width: widthOf(constant.kept) })
      return
    }
    const widened = isPadded ? align(first + bytes) : to
    if (isPadded) reach(widened + count * widthOf(constant.kept))
    steps.push({ do: 'widen', from: first, to: widened, count })
    if (isPadded) steps.push({ do: 'unpack', from: widened, to, constant, width: widthOf(constant.kept) })
  }
  const { table } = places
  const { groups } = table
  if (groups.length) {
    const ends = [...groups.slice(1).map(({ at }) => at), table.at + table.bytes.length]
    const folds = groups.map(({ at, stride }, i) =>
      folded(table.bytes.subarray(at - table.at, ends[i] - table.at), stride)
    )
    const bytes = new Bytes().add(...folds).finish()
    const segment = aside.push(bytes) - 1
    reach(begin + bytes.length)
    steps.push({ do: 'bring', segment, to: begin, bytes: bytes.length })
    let from = begin
    groups.forEach(({ at: to, stride }, i) => {
      steps.push({ do: 'unfold', from, to, count: (ends[i] - to) / 4, stride })
      from += folds[i].length
    })
    steps.push({ do: 'drop', segment })
  }
  constants.forEach((constant, index) => {
    const at = places.constants[index]
    if (at < 0 || !residentBytes(constant)) return
    if (isDirect(constant)) direct.push({ at, bytes: payloadOf(constant) })
    else {
      bring(index, at, begin)
      steps.push({ do: 'drop', segment: segmentOf(index) })
    }
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
    steps.push({ do: 'setup', call: i, addresses })
    const later = new Set(setup.slice(i + 1).flatMap(constantsOf))
    for (const index of staged.keys()) if (!later.has(index)) steps.push({ do: 'drop', segment: segmentOf(index) })
  })
  return { steps, direct, aside, end }
}

/** Blocks of `stride` words as asm/standalone/unpack.ts takes them: those words that differ from the block before. */
function folded(bytes: Uint8Array, stride: number): Uint8Array {
  const words = Uint32Array.from({ length: bytes.length / 4 }, (_, i) =>
    new DataView(bytes.buffer, bytes.byteOffset).getUint32(i * 4, true)
  )
  const folds = new Bytes()
  for (let i = 0; i < words.length; i += 8) {
    const eight = [...words.subarray(i, i + 8)]
    const differs = eight.map((word, k) => word !== (i + k >= stride ? words[i + k - stride] : 0))
    folds.add([differs.reduce((mask, each, k) => mask | (Number(each) << k), 0)])
    eight.forEach((word, k) => {
      if (differs[k]) folds.number(word)
    })
  }
  return folds.finish()
}
