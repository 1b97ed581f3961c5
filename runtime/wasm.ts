import { type Backend, CairnError, type Executor } from './backend.js'
import { compileKernels } from './binary.js'
import { type Bindings, evaluate } from './dims.js'
import type { CairnFile, Header, Section } from './format.js'
import { planProgram } from './plan.js'
import { type Argument, type Call, paddedLength } from './program.js'
import { unpackInto } from './unpack.js'

/**
 * The CPU path. One linear memory holds, from the front: the kernels' own statics, the calls' parameter blocks, the
 * constants in the kernels' panels, what the setup calls derive from them, and the arena. Everything is laid out when
 * a session loads (again for a new binding of the free dimensions); a run only copies inputs in, makes the calls, and
 * copies outputs out.
 */
const page = 65536
const largestMemory = 65536 * page

type Kernel = (parameters: number, ...buffers: number[]) => void
interface Exports {
  digest(at: number, words: number): number
  widen(from: number, to: number, count: number): void
  readonly [kernel: string]: Kernel
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

/** Byte addresses of what stays in memory. */
interface Layout {
  /** -1 for a constant that only setup calls read: it is in memory while they run. */
  readonly constants: readonly number[]
  readonly derived: readonly number[]
  readonly arena: number
}

type AddressOf = (argument: Omit<Argument, 'access'>) => number

class WasmExecutor implements Executor {
  private bound: Bound | undefined

  private constructor(
    private readonly header: Header,
    private readonly exports: Exports,
    private memory: WebAssembly.Memory | undefined,
    private readonly layout: Layout
  ) {}

  static async load(file: CairnFile): Promise<WasmExecutor> {
    const { header, bytes } = file
    const module = await compileKernels(false)
    const layout = layoutOf(header)
    const memory = new WebAssembly.Memory({ initial: pages(layout.arena + stagingBytes(header), 'constants') })
    const { exports } = await WebAssembly.instantiate(module, { env: { memory } })
    const executor = new WasmExecutor(header, exports as unknown as Exports, memory, layout)
    for (const { name } of header.kernels)
      if (typeof executor.exports[name] !== 'function' || name === 'digest' || name === 'widen')
        throw new CairnError(`the CPU path has no kernel "${name}"; the file was compiled for another version`)
    header.constants.forEach((constant, i) => {
      if (layout.constants[i] >= 0) executor.loadConstant(bytes, constant, layout.constants[i], layout.arena)
    })
    for (const call of header.setup) executor.runSetup(bytes, call)
    if (!header.free.length) executor.bind({})
    return executor
  }

  get memoryBytes(): number {
    return this.memory?.buffer.byteLength ?? 0
  }

  run(feeds: readonly Float32Array[], bindings: Bindings): Float32Array[] {
    const { calls, outputs } = this.feed(feeds, bindings)
    for (const call of calls) invoke(call)
    const { buffer } = this.memory!
    return outputs.map(({ at, length }) => new Float32Array(buffer, at, length).slice())
  }

  profile(feeds: readonly Float32Array[], bindings: Bindings): number[] {
    const { calls } = this.feed(feeds, bindings)
    return calls.map(call => {
      const start = performance.now()
      invoke(call)
      return performance.now() - start
    })
  }

  private feed(feeds: readonly Float32Array[], bindings: Bindings): Bound {
    const bound = this.bind(bindings)
    const { buffer } = this.memory!
    feeds.forEach((feed, i) => new Float32Array(buffer, bound.inputs[i], feed.length).set(feed))
    return bound
  }

  release(): void {
    this.memory = undefined
    this.bound = undefined
  }

  /**
   * Copies a constant to its place; halves are widened and last panels padded on the way, for which `staging` is the
   * address of free memory.
   */
  private loadConstant(file: Uint8Array, constant: Section, at: number, staging: number): void {
    const { buffer } = this.memory!
    const memory = new Uint8Array(buffer)
    const first = isDirect(constant) ? at : staging
    const words = Math.ceil(constant.bytes / 4)
    memory.set(file.subarray(constant.offset, constant.offset + constant.bytes), first)
    memory.fill(0, first + constant.bytes, first + words * 4)
    if (this.exports.digest(first, words) >>> 0 !== constant.digest)
      throw new CairnError(`the section at byte ${constant.offset} is damaged: its digest does not match`)
    if (isDirect(constant)) return
    const elements = constant.groups * constant.rows * constant.columns
    const target = new Float32Array(buffer, at, paddedLength(constant))
    if (constant.stored === 'f32') unpackInto(target, constant, new Float32Array(buffer, staging, elements))
    else {
      this.exports.widen(staging, at, elements)
      if (target.length !== elements) unpackInto(target, constant, target.slice(0, elements))
    }
  }

  /** Loads what only this call reads to where the arena will be, and makes the call. */
  private runSetup(file: Uint8Array, call: Call): void {
    const { constants } = this.header
    const addresses = new Map<number, number>()
    let free = this.layout.arena
    for (const { space, index } of call.arguments) {
      if (space !== 'constant' || this.layout.constants[index] >= 0 || addresses.has(index)) continue
      addresses.set(index, free)
      free = align(free + paddedLength(constants[index]) * 4)
      this.loadConstant(file, constants[index], addresses.get(index)!, free)
    }
    const view = new DataView(this.memory!.buffer)
    invoke(
      this.bindCall(call, page, view, {}, argument =>
        argument.space === 'constant' && addresses.has(argument.index)
          ? addresses.get(argument.index)!
          : this.staticAddress(argument)
      )
    )
  }

  private staticAddress({ space, index }: Omit<Argument, 'access'>): number {
    return space === 'constant' ? this.layout.constants[index] : this.layout.derived[index]
  }

  private staticBytes({ space, index }: Omit<Argument, 'access'>): number {
    const { constants, derived } = this.header
    return 4 * (space === 'constant' ? paddedLength(constants[index]) : derived[index])
  }

  private bind(bindings: Bindings): Bound {
    const { header } = this
    const key = header.free.map(name => bindings[name]).join()
    if (this.bound?.key === key) return this.bound
    // Until the parameter blocks are written, no binding holds.
    this.bound = undefined
    const plan = planProgram(header, bindings)
    const missing =
      pages(this.layout.arena + plan.bytes, `bound to ${key || 'its shapes'}`) - this.memory!.buffer.byteLength / page
    if (missing > 0) this.memory!.grow(missing)
    const view = new DataView(this.memory!.buffer)
    const addressOf: AddressOf = argument => {
      const { space, index } = argument
      const offset = evaluate(argument.offset, bindings) * 4
      const size = space === 'storage' ? plan.blocks[index].bytes : this.staticBytes(argument)
      if (!(offset >= 0 && offset <= size))
        throw new CairnError(`${space} ${index} of ${size} bytes is used at byte ${offset}`)
      return (space === 'storage' ? this.layout.arena + plan.offsets[index] : this.staticAddress(argument)) + offset
    }
    const portAt = (port: (typeof header.inputs)[number]) =>
      addressOf({ space: 'storage', index: port.storage, offset: port.offset })
    let block = page
    const calls = header.calls.map(call => {
      const bound = this.bindCall(call, block, view, bindings, addressOf)
      block += call.parameters.length * 4
      return bound
    })
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

  /** Writes a call's parameter block at `block` and resolves its buffers. */
  private bindCall(call: Call, block: number, view: DataView, bindings: Bindings, addressOf: AddressOf): BoundCall {
    const { name, fields } = this.header.kernels[call.kernel]
    call.parameters.forEach((parameter, i) => {
      const value = evaluate(parameter, bindings)
      if (fields[i] === 'f') view.setFloat32(block + i * 4, value, true)
      else view.setInt32(block + i * 4, value, true)
    })
    return { kernel: this.exports[name], arguments: [block, ...call.arguments.map(addressOf)] }
  }
}

function invoke({ kernel, arguments: values }: BoundCall): void {
  kernel.apply(undefined, values as [number, ...number[]])
}

const align = (at: number) => Math.ceil(at / 64) * 64

function layoutOf({ calls, setup, constants, derived }: Header): Layout {
  const words = (list: readonly Call[]) => list.map(call => call.parameters.length)
  let at =
    page +
    4 *
      Math.max(
        words(calls).reduce((a, b) => a + b, 0),
        ...words(setup)
      )
  const place = (floats: number) => {
    const start = align(at)
    at = start + floats * 4
    return start
  }
  const read = new Set<number>()
  for (const call of calls) for (const { space, index } of call.arguments) if (space === 'constant') read.add(index)
  return {
    constants: constants.map((constant, i) => (read.has(i) ? place(paddedLength(constant)) : -1)),
    derived: derived.map(place),
    arena: align(at)
  }
}

/** Memory behind the arena's beginning that loading needs at most, at any one time. */
function stagingBytes({ constants, setup }: Header): number {
  const staged = constants.map(constant => align(constant.bytes))
  const perCall = setup.map(call =>
    call.arguments.reduce(
      (sum, { space, index }) =>
        sum + (space === 'constant' ? align(paddedLength(constants[index]) * 4) + staged[index] : 0),
      0
    )
  )
  return Math.max(0, ...staged, ...perCall)
}

/** Stored as memory wants it: single precision without a padded panel. */
function isDirect(constant: Section): boolean {
  return constant.stored === 'f32' && paddedLength(constant) === constant.groups * constant.rows * constant.columns
}

function pages(bytes: number, what: string): number {
  if (bytes > largestMemory)
    throw new CairnError(`the model ${what} needs ${bytes} bytes; WebAssembly allows ${largestMemory}`)
  return Math.ceil(bytes / page)
}

export const wasmBackend: Backend = { name: 'wasm', load: file => WasmExecutor.load(file) }
