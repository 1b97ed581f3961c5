import { CairnError } from '../base/index.js'
import { barrier } from './barrier.js'

/** What binaries import, as `asc` writes it: "env", "memory", a memory, of which limits follow. */
const imported = '\x03env\x06memory\x02'

/** Limits of memory that is shared: flags; at least 1 page; at most 65536. */
const limits = [3, 1, 0x80, 0x80, 4]

/**
 * A binary for memory that threads share. In the one for memory of a thread's own only the limits of that import are others (flags,
 * and at least 1 page), which begin a section of under 128 bytes: its length is one byte.
 */
export function shared(binary: Uint8Array): Uint8Array<ArrayBuffer> {
  const front = String.fromCharCode(...binary.subarray(0, 4096))
  const at = front.indexOf(imported)
  const [first, end] = [at + imported.length, at + imported.length + 2]
  // In front: the section's number 2, its length, and that it holds one import.
  if (at < 0 || binary[at - 3] !== 2 || binary[first] !== 0 || binary[first + 1] !== 1)
    throw new CairnError('it is none of the .wasm files of this version')
  const found = new Uint8Array(binary.length + 3)
  found.set(binary.subarray(0, first))
  found[at - 2] += 3
  found.set(limits, first)
  found.set(binary.subarray(end), end + 3)
  return found
}

/** The module with which threads meet (asm/barrier.ts). */
export const barrierModule = (): WebAssembly.Module =>
  new WebAssembly.Module(Uint8Array.from(atob(barrier), character => character.charCodeAt(0)))
