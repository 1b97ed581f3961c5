import { CairnError } from '../base/index.js'
import { type Header, storagesWritten } from '../file/index.js'
import type { Exports } from './exports.js'
import { newMemory, page } from './layout.js'
import type { BoundCall, Kernel } from './lockstep.js'
import { packing } from './packing.js'

/**
 * The wide binaries (asm/dense/wide.ts), which are loaded when they are asked for. They gain where the engine joins operations on
 * adjacent 16 bytes to such on 32, as V8 does under --experimental-wasm-revectorize; elsewhere they are slower than the others.
 */

/** Of each wide binary that is used, the plain one that computes the same. */
const plain = new WeakMap<WebAssembly.Module, WebAssembly.Module>()

/** The wide binary where the engine packs, or `narrow`. With `wish` true V8 is told to, for the whole process. */
export async function widest(
  narrow: WebAssembly.Module,
  wish: boolean | 'auto',
  wide: () => Promise<WebAssembly.Module>
): Promise<WebAssembly.Module> {
  if (wish === true) ask()
  known ??= trial()
  if (!known) return narrow
  const module = await wide()
  plain.set(module, narrow)
  return module
}

/** Whether the engine packs, if it was tried, and whether it was asked to: once in a process. */
let known: boolean | undefined
let asked = false

function ask(): void {
  const { process } = globalThis
  // Older versions of V8 do not know the flag, and say so on standard error.
  if (asked || process?.arch !== 'x64' || !(Number.parseFloat(process.versions.v8) >= 13)) return
  process.getBuiltinModule?.('node:v8').setFlagsFromString('--experimental-wasm-revectorize')
  asked = true
  // What it did not do before it may do now.
  if (!known) known = undefined
}

/** Milliseconds that the trial takes at most; V8 needs about 1 to compile its two functions well. */
const patience = 12

/**
 * Whether the engine packs: a function whose operations are on adjacent vectors takes well under the time of its like, whose
 * vectors stand apart.
 */
function trial(): boolean {
  // V8 keeps what it has compiled of the same bytes: behind the flag they need another custom section.
  const module = new WebAssembly.Module(Uint8Array.of(...packing, 0, 2, 1, asked ? 0x79 : 0x6e))
  const { near, apart } = new WebAssembly.Instance(module).exports as Record<string, Pass>
  const time = (pass: Pass) => {
    const from = performance.now()
    for (let i = 0; i < 20; i++) pass(0, 5000)
    return performance.now() - from
  }
  const end = performance.now() + patience
  const first = time(near)
  // Three times in a row either way, once both are compiled well.
  let packed = 0
  let compiled = 0
  while (performance.now() < end && packed < 3 && compiled - packed < 6) {
    const [one, other] = [time(near), time(apart)]
    packed = one < 0.75 * other ? packed + 1 : 0
    if (other < first / 2) compiled++
  }
  return packed >= 3
}

type Pass = (at: number, count: number) => void

/** Milliseconds for engines to compile what runs often. */
const warming = 150

/** How a session's calls are compared with the plain binary's, if `module` is a wide one. */
export function comparison(module: WebAssembly.Module): Comparison | undefined {
  const other = plain.get(module)
  return other && ((...given) => compare(other, ...given))
}

export type Comparison = (
  header: Header,
  calls: readonly BoundCall[],
  exports: Exports,
  memory: WebAssembly.Memory,
  placeOf: (storage: number) => { readonly at: number; readonly bytes: number }
) => void

/**
 * Makes all calls on random inputs with the wide kernels, until the engine has compiled them well, and then with both, the plain
 * ones in a copy of the memory. Throws CairnError where one has written other bits than the other.
 */
function compare(other: WebAssembly.Module, ...[header, calls, wide, memory, placeOf]: Parameters<Comparison>): void {
  const feed = () => {
    for (const { storage } of header.inputs) {
      const { at, bytes } = placeOf(storage)
      const data = new Float32Array(memory.buffer, at, bytes / 4)
      for (let i = 0; i < data.length; i++) data[i] = Math.random() * 2 - 1
    }
  }
  wide.enter(0, 1, 0)
  const end = performance.now() + warming
  for (let run = 0; run < 3 || (run < 200 && performance.now() < end); run++) {
    feed()
    for (const { kernel, arguments: given } of calls) kernel(...given)
  }
  feed()
  const whole = new Uint8Array(memory.buffer)
  const copy = newMemory(whole.length / page, memory.buffer.constructor !== ArrayBuffer)
  const { exports } = new WebAssembly.Instance(other, { env: { memory: copy } })
  // All but the statics, which are each binary's own.
  new Uint8Array(copy.buffer, page).set(whole.subarray(page))
  for (const [i, { kernel, arguments: given }] of calls.entries()) {
    const { kernel: index, node } = header.calls[i]
    const { name } = header.kernels[index]
    kernel(...given)
    ;(exports[name] as Kernel)(...given)
    for (const { at, bytes } of storagesWritten(header.calls[i]).map(placeOf))
      if (!same(memory.buffer, copy.buffer, at, bytes))
        throw new CairnError(`the wide kernel ${name} of "${node}" is wrong on this engine; leave env.wasm.wide out`)
  }
}

function same(one: ArrayBufferLike, other: ArrayBufferLike, at: number, bytes: number): boolean {
  const [a, b] = [one, other].map(buffer => new Int32Array(buffer, at, bytes >> 2))
  return a.every((word, i) => word === b[i])
}
