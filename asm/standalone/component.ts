/**
 * A model as a component: what callers give and get are lists in this memory, as the Component Model's canonical ABI
 * (CanonicalABI.md of its specification) lays them out.
 */
import { bitsOf, countOf, Port, placeOf, sizeOf, valueOf } from './port'

/** Behind the model and the lists of the call that goes on; 0 when there are none. */
let free: usize = 0

/** The ABI's `realloc`: room behind the model, which ends at `end`, and where memory grows if it has to. */
export function room(end: usize, old: usize, oldSize: usize, alignment: usize, size: usize): usize {
  const at = (max(free, end) + alignment - 1) & ~(alignment - 1)
  if (at + size < at) unreachable()
  free = at + size
  const most = (<usize>memory.size()) << 16
  if (free > most && memory.grow(<i32>((free - most + 65535) >> 16)) < 0) unreachable()
  memory.copy(at, old, min(oldSize, size))
  return at
}

/** The caller has taken its results. */
export function release(): void {
  free = 0
}

/** The elements of an input become floats; whether it takes that many. */
export function take(port: Port, from: usize, count: u32): bool {
  if (count != port.elements) return false
  const width = port.width
  if (isFloat(port)) {
    memory.copy(port.at, from, count << 2)
    return true
  }
  for (let i: u32 = 0; i < count; i++) {
    let bits: u64 = 0
    for (let b: u32 = 0; b < width; b++) bits |= (<u64>load<u8>(from++)) << (b << 3)
    store<f32>(port.at + (i << 2), valueOf(bits, port.letter, width))
  }
  return true
}

/** An output as a record: a list of its sizes, and one of its elements. */
export function give(end: usize, port: Port, record: usize): void {
  const rank = port.rank
  const shape = room(end, 0, 0, 4, rank << 2)
  for (let axis: u32 = 0; axis < rank; axis++) store<u32>(shape + (axis << 2), sizeOf(port, axis))
  const elements = countOf(port)
  let data = port.at
  if (!isFloat(port) || elements != port.elements) {
    let to = (data = room(end, 0, 0, 8, elements * port.width))
    for (let i: u32 = 0; i < elements; i++) {
      let bits = bitsOf(load<f32>(placeOf(port, i, elements)), port.letter, port.width)
      for (let b: u32 = 0; b < port.width; b++, bits >>= 8) store<u8>(to++, <u8>bits)
    }
  }
  store<usize>(record, shape)
  store<u32>(record, rank, 4)
  store<usize>(record, data, 8)
  store<u32>(record, elements, 12)
}

function isFloat(port: Port): bool {
  return port.letter == 102 && port.width == 4
}
