import { type Bindings, type Dim, evaluate } from './dims.js'
import { type Program, resultsOf } from './program.js'

type Schedule = Omit<Program, 'constants'>

/**
 * One arena for all storages: each gets an offset at which no storage that is live at the same time overlaps it.
 * Greedy by size into the best-fitting gap (Pisarchyk and Lee 2020, arXiv 2001.03288, section 5.2), tried in a few
 * orders; the best one is taken.
 */
export interface Plan {
  /** Byte offsets, multiples of 16. */
  readonly offsets: readonly number[]
  readonly bytes: number
  /** The largest sum of bytes that are live at once: no plan can need less. */
  readonly lowerBound: number
  readonly blocks: readonly Block[]
}

export interface Block {
  readonly bytes: number
  /** First and last call that touches the storage; inputs begin before the first call, outputs end behind the last. */
  readonly first: number
  readonly last: number
}

const alignment = 16
/** What threads write side by side lies on cache lines of its own. */
const cacheLine = 64

export function planProgram(program: Schedule, bindings: Bindings, threads = 1): Plan {
  return planBlocks(blocksOf(program, bindings, threads))
}

/** Size and lifetime of each storage; what is scratch is there once for every thread. */
export function blocksOf(program: Schedule, bindings: Bindings, threads = 1): Block[] {
  const end = program.calls.length
  const first = program.storages.map(() => end)
  const last = program.storages.map(() => -1)
  const scratch = new Set<number>()
  const touch = (storage: number, at: number) => {
    first[storage] = Math.min(first[storage], at)
    last[storage] = Math.max(last[storage], at)
  }
  for (const input of program.inputs) touch(input.storage, -1)
  program.calls.forEach((call, at) => {
    for (const { space, index, access } of call.arguments) {
      if (space !== 'storage') continue
      touch(index, at)
      if (access === 'scratch') scratch.add(index)
    }
  })
  for (const { storage } of resultsOf(program)) touch(storage, end)
  const narrow = new Set(program.narrow)
  const bytesOf = (size: Dim, i: number) => {
    if (last[i] < first[i]) return 0
    const bytes = evaluate(size, bindings) * (narrow.has(i) ? 1 : 4)
    if (threads === 1) return roundUp(bytes, alignment)
    return roundUp(bytes, cacheLine) * (scratch.has(i) ? threads : 1)
  }
  return program.storages.map((size, i) => ({ bytes: bytesOf(size, i), first: first[i], last: last[i] }))
}

const roundUp = (bytes: number, to: number) => Math.ceil(bytes / to) * to

export function planBlocks(blocks: readonly Block[]): Plan {
  const lowerBound = largestLiveSum(blocks)
  const used = blocks.map((_, i) => i).filter(i => blocks[i].bytes > 0)
  const span = (i: number) => blocks[i].last - blocks[i].first
  const orders: ((a: number, b: number) => number)[] = [
    (a, b) => blocks[b].bytes - blocks[a].bytes || blocks[a].first - blocks[b].first,
    (a, b) => blocks[b].bytes * (span(b) + 1) - blocks[a].bytes * (span(a) + 1),
    (a, b) => span(b) - span(a) || blocks[b].bytes - blocks[a].bytes,
    (a, b) => blocks[a].first - blocks[b].first || blocks[b].bytes - blocks[a].bytes,
    (a, b) => blocks[b].last - blocks[a].last || blocks[b].bytes - blocks[a].bytes
  ]
  let best: { offsets: number[]; bytes: number } | undefined
  for (const order of orders) {
    const placed = placeInOrder(blocks, [...used].sort(order))
    if (!best || placed.bytes < best.bytes) best = placed
    if (best.bytes === lowerBound) break
  }
  return { ...best!, lowerBound, blocks }
}

function placeInOrder(blocks: readonly Block[], order: readonly number[]): { offsets: number[]; bytes: number } {
  const offsets = blocks.map(() => 0)
  const placed: number[] = []
  let bytes = 0
  for (const i of order) {
    const block = blocks[i]
    const neighbours = placed.filter(j => blocks[j].first <= block.last && block.first <= blocks[j].last)
    let free = 0
    let best = -1
    let bestGap = Number.POSITIVE_INFINITY
    for (const j of neighbours) {
      const gap = offsets[j] - free
      if (gap >= block.bytes && gap < bestGap) {
        best = free
        bestGap = gap
      }
      free = Math.max(free, offsets[j] + blocks[j].bytes)
    }
    offsets[i] = best < 0 ? free : best
    bytes = Math.max(bytes, offsets[i] + block.bytes)
    const at = placed.findIndex(j => offsets[j] > offsets[i])
    placed.splice(at < 0 ? placed.length : at, 0, i)
  }
  return { offsets, bytes }
}

function largestLiveSum(blocks: readonly Block[]): number {
  const changes = new Map<number, number>()
  for (const { bytes, first, last } of blocks) {
    changes.set(first, (changes.get(first) ?? 0) + bytes)
    changes.set(last + 1, (changes.get(last + 1) ?? 0) - bytes)
  }
  let live = 0
  let largest = 0
  for (const at of [...changes.keys()].sort((a, b) => a - b)) {
    live += changes.get(at)!
    largest = Math.max(largest, live)
  }
  return largest
}
