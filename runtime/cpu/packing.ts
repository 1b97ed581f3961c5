/**
 * A module of two functions, `near` and `apart`, (address, count) -> (), which add one vector to fourteen `count` times.
 * Those of `near` are pairs of adjacent ones, which an engine may join; those of `apart` have gaps between them.
 */

const [address, count] = [0, 1]
const pairs = 7
const added = 2 + 2 * pairs
const [get, set, tee] = [0x20, 0x21, 0x22]

/** A vector's instruction at the address, with an offset. */
const at = (instruction: number, offset: number) => [0xfd, instruction, 0, 0x80 | (offset & 127), offset >> 7]
const [load, splat, store] = [0x00, 0x09, 0x0b]

const sized = (bytes: readonly number[]) => [0x80 | (bytes.length & 127), bytes.length >> 7, ...bytes]

function body(gap: number): number[] {
  const sums = Array.from({ length: 2 * pairs }, (_, i) => ({ local: 2 + i, offset: (i >> 1) * 64 + (i & 1) * gap }))
  return [
    ...[0x01, 2 * pairs + 1, 0x7b], // locals: vectors
    ...sums.flatMap(({ local, offset }) => [get, address, ...at(load, offset), set, local]),
    ...[0x03, 0x40], // loop
    ...[get, address, ...at(splat, 0), set, added],
    ...sums.flatMap(({ local }) => [get, local, get, added, 0xfd, 0xe4, 0x01, set, local]), // f32x4.add
    ...[get, count, 0x41, 0x01, 0x6b, tee, count, 0x0d, 0x00, 0x0b], // i32.sub, br_if, end
    ...sums.flatMap(({ local, offset }) => [get, address, get, local, ...at(store, offset)]),
    0x0b
  ]
}

const nameOf = (text: string) => [text.length, ...new TextEncoder().encode(text)]
const bodies = [16, 32].map(gap => sized(body(gap)))

export const packing = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // magic, version
  ...[1, ...sized([1, 0x60, 2, 0x7f, 0x7f, 0])], // one type, (i32, i32) -> ()
  ...[3, ...sized([2, 0, 0])], // two functions of it
  ...[5, ...sized([1, 0, 1])], // a memory of one page
  ...[7, ...sized([3, ...nameOf('near'), 0, 0, ...nameOf('apart'), 0, 1, ...nameOf('memory'), 2, 0])], // names
  ...[10, ...sized([2, ...bodies.flat()])]
)
