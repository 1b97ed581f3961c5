/**
 * The steps of recurrent layers; see compiler/ops/recurrent/recurrent.ts for the meaning of the parameter block. A step is a
 * product of the states with the panels of each gate, over all images of the slice, and then the gates, image by image. Threads
 * divide directions and images, four at a time, and go through all steps by themselves: none waits for another.
 */
import { rows } from '../dense/gemm'
import { PANEL } from '../dense/tile'
import { activateRow } from '../elementwise/activation'
import { Epilogue } from '../elementwise/epilogue'
import { clip } from '../elementwise/math'
import { gather, scatter } from '../lanes'
import { endOfRun } from '../loops'
import { firstOf, lastOf, statics, worth } from '../thread'

@unmanaged
export class RecurrentParams {
  gates: u32
  steps: u32
  batch: u32
  size: u32
  directions: u32
  first: u32
  end: u32
  backward: u32
  late: u32
  coupled: u32
  peeped: u32
  counted: u32
  begun: u32
  charged: u32
  clip: f32
  act0: u32
  act1: u32
  act2: u32
  alpha0: f32
  alpha1: f32
  alpha2: f32
  beta0: f32
  beta1: f32
  beta2: f32
}

/** Layers are told by how many gates they have; others are LSTM. */
const RNN: u32 = 1
const GRU: u32 = 3
/** Tiles of four images that pass over a panel of weights at a time. */
const TILES: u32 = 16
/** Behind the activations: alpha tanh(beta x). */
const SCALED_TANH: u32 = 46
const TANH: u32 = 5

/** Where a slice's states and gates are, and what it takes of the operands. */
@unmanaged
class Slice {
  zeros: usize
  hidden: usize
  cell: usize
  /** Of a GRU the states that the reset leaves. */
  kept: usize
  gates: usize
  tables: usize
  /** Bytes of a gate of all images of the slice. */
  gateBytes: usize
  images: u32
  lone: bool
}

/** Where the slice lies behind the thread's statics, of which the micro-kernel takes the first 128 bytes. */
const SLICE: usize = 512

export function recurrent(
  p: RecurrentParams,
  x: usize,
  w: usize,
  bias: usize,
  peephole: usize,
  lengths: usize,
  h0: usize,
  c0: usize,
  y: usize,
  h: usize,
  c: usize,
  scratch: usize
): void {
  const gates = p.gates
  const tiles = (p.batch + 3) >> 2
  const items = (p.end - p.first) * tiles
  const least = worth(<u64>p.steps * gates * p.size * p.size)
  const last = lastOf(items, least)
  const panels = (p.size + PANEL - 1) / PANEL
  const s = changetype<Slice>(statics() + SLICE)
  s.zeros = scratch
  s.hidden = scratch + ((<usize>(panels * PANEL)) << 2)
  memory.fill(s.zeros, 0, s.hidden - s.zeros)
  for (let i = firstOf(items, least); i < last; ) {
    const end = endOfRun(i, tiles, last)
    const d = p.first + i / tiles
    const n = (i % tiles) << 2
    s.images = min((end - (i / tiles) * tiles) << 2, p.batch) - n
    // One row alone is rounded otherwise than four: the same in every thread's slice.
    s.lone = (p.batch & 3) == 1 && n + s.images == p.batch
    const bytes = (<usize>(s.images * p.size)) << 2
    s.gateBytes = bytes
    s.cell = s.hidden + bytes
    s.kept = s.cell + bytes
    s.gates = s.kept + bytes
    s.tables = s.gates + bytes * gates
    const state = (<usize>((d * p.batch + n) * p.size)) << 2
    begin(s.hidden, h0 + state, p.begun, bytes)
    begin(s.cell, c0 + state, p.charged, bytes)
    const row = (<usize>p.size) << 2
    direct(
      p,
      s,
      d >= p.backward,
      x + <usize>(n * p.directions + d) * gates * row,
      w + <usize>(d * gates * panels * PANEL) * row,
      bias + <usize>d * row,
      peephole + <usize>(3 * d) * row,
      lengths + ((<usize>n) << 2),
      y + <usize>(n * p.directions + d) * row
    )
    memory.copy(h + state, s.hidden, bytes)
    if (p.gates > GRU) memory.copy(c + state, s.cell, bytes)
    i = end
  }
}

function begin(state: usize, from: usize, given: u32, bytes: usize): void {
  if (given) memory.copy(state, from, bytes)
  else memory.fill(state, 0, bytes)
}

/** All steps of one direction of the slice's images; operands begin at the first of these. */
function direct(
  p: RecurrentParams,
  s: Slice,
  backward: bool,
  x: usize,
  w: usize,
  bias: usize,
  peephole: usize,
  lengths: usize,
  y: usize
): void {
  const row = (<usize>p.size) << 2
  const gates = p.gates
  const image = <usize>p.directions * row
  const step = <usize>p.batch * image
  for (let t: u32 = 0; t < p.steps; t++) {
    const products: u32 = p.gates == GRU && !p.late ? 2 : gates
    for (let gate: u32 = 0; gate < products; gate++) multiply(p, s, gate, s.hidden, w)
    for (let i: u32 = 0; i < s.images; i++) {
      const length = lengthOf(p, lengths, i)
      const at = backward && t < length ? length - 1 - t : t
      const to = y + <usize>at * step + <usize>i * image
      if (t >= length) {
        memory.fill(to, 0, row)
        continue
      }
      const own = <usize>i * row
      const from = x + (<usize>at * step + <usize>i * image) * gates
      if (p.gates == RNN) finish(p, 0, s.gates + own, from, 0, 0, s.hidden + own)
      else if (p.gates == GRU) reset(p, s, own, from, bias)
      else remember(p, s, own, from, peephole)
      if (products == gates) memory.copy(to, s.hidden + own, row)
    }
    if (products == gates) continue
    // The last gate of a GRU is multiplied with what the reset has left of the states.
    multiply(p, s, 2, s.kept, w)
    for (let i: u32 = 0; i < s.images; i++) {
      const length = lengthOf(p, lengths, i)
      if (t >= length) continue
      const at = backward ? length - 1 - t : t
      const own = <usize>i * row
      update(p, s, own, x + (<usize>at * step + <usize>i * image) * gates)
      memory.copy(y + <usize>at * step + <usize>i * image, s.hidden + own, row)
    }
  }
}

function lengthOf(p: RecurrentParams, lengths: usize, image: u32): u32 {
  if (!p.counted) return p.steps
  const length = load<f32>(lengths + (image << 2))
  if (!(length > 0)) return 0
  return length < <f32>p.steps ? <u32>length : p.steps
}

/** What the recurrent weights of a gate add to it, for all images of the slice. */
function multiply(p: RecurrentParams, s: Slice, gate: u32, states: usize, w: usize): void {
  const row = (<usize>p.size) << 2
  const panels = (p.size + PANEL - 1) / PANEL
  const to = s.gates + <usize>gate * s.gateBytes
  rows(
    states,
    p.size,
    to,
    p.size,
    to,
    p.size,
    s.images,
    w + <usize>(gate * panels * PANEL) * row,
    s.zeros,
    s.zeros,
    p.size,
    p.size,
    TILES,
    s.tables,
    changetype<Epilogue>(s.zeros),
    s.lone
  )
}

/** to = act(gate + x + peephole * cell), what is activated clipped. */
function finish(p: RecurrentParams, which: u32, gate: usize, x: usize, peephole: usize, cell: usize, to: usize): void {
  const low = f32x4.splat(-p.clip)
  const high = f32x4.splat(p.clip)
  const end = gate + ((<usize>p.size) << 2)
  const from = gate
  for (; gate < end; gate += 16, x += 16) {
    const left = <u32>(end - gate) >> 2
    let sum = f32x4.add(gather(gate, 4, left), gather(x, 4, left))
    if (peephole) {
      sum = f32x4.add(sum, f32x4.mul(gather(peephole, 4, left), gather(cell, 4, left)))
      peephole += 16
      cell += 16
    }
    scatter(gate, 4, clip(sum, low, high), left)
  }
  apply(p, which, from, to)
}

/** to = function `which` of the block's three; `from` is spent. */
function apply(p: RecurrentParams, which: u32, from: usize, to: usize): void {
  const kind = which == 0 ? p.act0 : which == 1 ? p.act1 : p.act2
  const alpha = which == 0 ? p.alpha0 : which == 1 ? p.alpha1 : p.alpha2
  const beta = which == 0 ? p.beta0 : which == 1 ? p.beta1 : p.beta2
  if (kind != SCALED_TANH) {
    activateRow(kind, alpha, beta, from, to, p.size)
    return
  }
  scale(from, beta, p.size)
  activateRow(TANH, 0, 0, from, to, p.size)
  scale(to, alpha, p.size)
}

function scale(x: usize, factor: f32, count: u32): void {
  for (let i = count; i > 0; i--, x += 4) store<f32>(x, load<f32>(x) * factor)
}

/** Update and reset of a GRU's image; where the reset comes late its new state too, else what it leaves of the old one. */
function reset(p: RecurrentParams, s: Slice, own: usize, x: usize, bias: usize): void {
  const row = (<usize>p.size) << 2
  const turn = s.gates + s.gateBytes + own
  finish(p, 0, s.gates + own, x, 0, 0, s.gates + own)
  finish(p, 0, turn, x + row, 0, 0, turn)
  const state = s.gates + 2 * s.gateBytes + own
  for (let at: usize = 0; at < row; at += 16) {
    const left = <u32>(row - at) >> 2
    const factor = gather(turn + at, 4, left)
    if (!p.late) {
      scatter(s.kept + own + at, 4, f32x4.mul(factor, gather(s.hidden + own + at, 4, left)), left)
      continue
    }
    let sum = gather(state + at, 4, left)
    sum = f32x4.add(sum, gather(bias + at, 4, left))
    scatter(state + at, 4, f32x4.mul(factor, sum), left)
  }
  if (p.late) update(p, s, own, x)
}

/** The new state of a GRU's image: between the one that is wanted and the old one. */
function update(p: RecurrentParams, s: Slice, own: usize, x: usize): void {
  const row = (<usize>p.size) << 2
  const state = s.gates + 2 * s.gateBytes + own
  finish(p, 1, state, x + 2 * row, 0, 0, state)
  for (let at: usize = 0; at < row; at += 16) {
    const left = <u32>(row - at) >> 2
    const share = gather(s.gates + own + at, 4, left)
    const wanted = f32x4.mul(f32x4.sub(f32x4.splat(1), share), gather(state + at, 4, left))
    const before = s.hidden + own + at
    scatter(before, 4, f32x4.add(wanted, f32x4.mul(share, gather(before, 4, left))), left)
  }
}

/** The new cell and state of an LSTM's image. */
function remember(p: RecurrentParams, s: Slice, own: usize, x: usize, peephole: usize): void {
  const row = (<usize>p.size) << 2
  const taken = s.gates + own
  const given = taken + s.gateBytes
  const kept = given + s.gateBytes
  const wanted = kept + s.gateBytes
  const cell = s.cell + own
  const hidden = s.hidden + own
  finish(p, 0, taken, x, p.peeped ? peephole : 0, cell, taken)
  if (!p.coupled) finish(p, 0, kept, x + 2 * row, p.peeped ? peephole + 2 * row : 0, cell, kept)
  finish(p, 1, wanted, x + 3 * row, 0, 0, wanted)
  for (let at: usize = 0; at < row; at += 16) {
    const left = <u32>(row - at) >> 2
    const fresh = gather(taken + at, 4, left)
    const share = p.coupled ? f32x4.sub(f32x4.splat(1), fresh) : gather(kept + at, 4, left)
    const old = f32x4.mul(share, gather(cell + at, 4, left))
    const next = f32x4.add(old, f32x4.mul(fresh, gather(wanted + at, 4, left)))
    scatter(cell + at, 4, next, left)
    scatter(wanted + at, 4, next, left)
  }
  finish(p, 0, given, x + row, p.peeped ? peephole + row : 0, cell, given)
  apply(p, 2, wanted, hidden)
  for (let at: usize = 0; at < row; at += 16) {
    const left = <u32>(row - at) >> 2
    scatter(hidden + at, 4, f32x4.mul(gather(hidden + at, 4, left), gather(given + at, 4, left)), left)
  }
}
