import { type Backend, CairnError, type Executor } from './backend.js'
import { type Bindings, evaluate } from './dims.js'
import type { CairnFile, Header, Section } from './format.js'
import { simd } from './kernels.generated.js'
import { planProgram } from './plan.js'
import { type Argument, paddedLength } from './program.js'
import { unpackInto } from './unpack.js'

/**
 * The CPU path. One linear memory holds, from the front: the kernels' own statics, the calls' parameter blocks, the
 * constants in the kernels' panels, and the arena. Everything is laid out when a session loads (again for a new
 * binding of the free dimensions); a run only copies inputs in, makes the calls, and copies outputs out.
 */
const page = 65536
const largestMemory = 65536 * page

type Kernel = (parameters: number, ...buffers: number[]) => void
interface Exports {
  digest(at: number, words: number): number
  widen(from: number, to: number, count: number): void
  readonly [kernel: string]: Kernel
}

let compiled: Promise<WebAssembly.Module> | undefined

function compileKernels(): Promise<WebAssembly.Module> {
  if (!compiled) {
    const text = atob(simd)
    const bytes = new Uint8Array(text.length)
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
    compiled = WebAssembly.compile(bytes)
  }
  return compiled
}

interface BoundCall {
  readonly kernel: Kernel
  readonly arguments: readonly number[]
}

interface Bound {
  readonly key: string
  readonly calls: readonly BoundCall[]
  readonly inputs: readonly number[]
  readonly outputs: readonly { at: number; length: number }[]
}

class WasmExecutor implements Executor {
  private constructor(
    private readonly header: Header,
    private readonly exports: Exports,
    private memory: WebAssembly.Memory | undefined,
    private readonly constantAt: readonly number[],
    private readonly arenaAt: number
  ) {}

  private bound: Bound | undefined

  static async load(file: CairnFile): Promise<WasmExecutor> {
    const module = await compileKernels()
    const { kernels, calls, constants, free } = file.header
    let at = page
    for (const call of calls) at += kernels[call.kernel].fields.length * 4
    const constantAt = constants.map(constant => {
      const start = align(at)
      at = start + paddedLength(constant) * 4
      return start
    })
    const arenaAt = align(at)
    const largest = Math.max(0, ...constants.map(constant => (isDirect(constant) ? 0 : constant.bytes + 16)))
    const memory = new WebAssembly.Memory({ initial: pages(arenaAt + largest, 'constants') })
    const { exports } = await WebAssembly.instantiate(module, { env: { memory, abort } })
    const executor = new WasmExecutor(file.header, exports as unknown as Exports, memory, constantAt, arenaAt)
    for (const kernel of kernels)
      if (!executor.exports[kernel.name])
        throw new CairnError(`the CPU path has no kernel "${kernel.name}"; the file was compiled for another version`)
    constants.forEach((constant, i) => executor.loadConstant(file.bytes, constant, constantAt[i]))
    if (!free.length) executor.bind({})
    return executor
  }

  get memoryBytes(): number {
    return this.memory?.buffer.byteLength ?? 0
  }

  run(feeds: readonly Float32Array[], bindings: Bindings): Float32Array[] {
    const { calls, inputs, outputs } = this.bind(bindings)
    const { buffer } = this.memory!
    feeds.forEach((feed, i) => new Float32Array(buffer, inputs[i], feed.length).set(feed))
    for (const call of calls) call.kernel.apply(undefined, call.arguments as [number, ...number[]])
    return outputs.map(({ at, length }) => new Float32Array(buffer, at, length).slice())
  }

  release(): void {
    this.memory = undefined
    this.bound = undefined
  }

  /** Copies a constant to its place; halves are widened and last panels padded on the way. */
  private loadConstant(bytes: Uint8Array, constant: Section, at: number): void {
    const stored = bytes.subarray(constant.offset, constant.offset + constant.bytes)
    const staging = isDirect(constant) ? at : this.arenaAt
    const memory = new Uint8Array(this.memory!.buffer)
    const words = Math.ceil(constant.bytes / 4)
    memory.set(stored, staging)
    memory.fill(0, staging + constant.bytes, staging + words * 4)
    if (this.exports.digest(staging, words) >>> 0 !== constant.digest)
      throw new CairnError(`the section at byte ${constant.offset} is damaged: its digest does not match`)
    if (isDirect(constant)) return
    const elements = constant.groups * constant.rows * constant.columns
    const target = new Float32Array(this.memory!.buffer, at, paddedLength(constant))
    if (constant.stored === 'f32')
      unpackInto(target, constant, new Float32Array(this.memory!.buffer, staging, elements))
    else {
      this.exports.widen(staging, at, elements)
      if (target.length !== elements) unpackInto(target, constant, target.slice(0, elements))
    }
  }

  private bind(bindings: Bindings): Bound {
    const { header } = this
    const key = header.free.map(name => bindings[name]).join()
    if (this.bound?.key === key) return this.bound
    const plan = planProgram(header, bindings)
    const end = this.arenaAt + plan.bytes
    const missing = pages(end, `bound to ${key || 'its shapes'}`) - this.memory!.buffer.byteLength / page
    if (missing > 0) this.memory!.grow(missing)
    const view = new DataView(this.memory!.buffer)
    const addressOf = ({ space, index, offset }: Omit<Argument, 'access'>): number =>
      (space === 'constant' ? this.constantAt[index] : this.arenaAt + plan.offsets[index]) +
      evaluate(offset, bindings) * 4
    let at = page
    const calls = header.calls.map((call): BoundCall => {
      const { name, fields } = header.kernels[call.kernel]
      const block = at
      call.parameters.forEach((parameter, i) => {
        const value = evaluate(parameter, bindings)
        if (fields[i] === 'f') view.setFloat32(at, value, true)
        else view.setInt32(at, value, true)
        at += 4
      })
      return { kernel: this.exports[name], arguments: [block, ...call.arguments.map(addressOf)] }
    })
    const portAt = (port: (typeof header.inputs)[number]) =>
      addressOf({ space: 'storage', index: port.storage, offset: port.offset })
    this.bound = {
      key,
      calls,
      inputs: header.inputs.map(portAt),
      outputs: header.outputs.map(port => ({
        at: portAt(port),
        length: port.shape.reduce<number>((count, dim) => count * evaluate(dim, bindings), 1)
      }))
    }
    return this.bound
  }
}

const align = (at: number) => Math.ceil(at / 64) * 64

/** Stored as memory wants it: single precision without a padded panel. */
function isDirect(constant: Section): boolean {
  return constant.stored === 'f32' && paddedLength(constant) === constant.groups * constant.rows * constant.columns
}

function pages(bytes: number, what: string): number {
  if (bytes > largestMemory)
    throw new CairnError(`the model ${what} needs ${bytes} bytes; WebAssembly allows ${largestMemory}`)
  return Math.ceil(bytes / page)
}

function abort(): never {
  throw new Error('kernel aborted')
}

export const wasmBackend: Backend = { name: 'wasm', load: file => WasmExecutor.load(file) }
