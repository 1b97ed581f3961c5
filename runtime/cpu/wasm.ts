import { type Backend, type Executor, type LoadOptions, mostMemory, type Place } from '../backend/index.js'
import { CairnError, finish } from '../base/index.js'
import {
  type Argument,
  arrivals,
  type Bindings,
  type CairnFile,
  type Call,
  evaluate,
  type Header,
  type Observer,
  type Plan,
  type Port,
  paddedLength,
  planProgram,
  residentBytes,
  resultsOf,
  type Section,
  Spare,
  storagesWritten,
  unpackInto,
  widthOf
} from '../file/index.js'
import { instantiate, kernelsFor, widening } from './binary.js'
import { type Exports, helpers } from './exports.js'
import { align, constantsOf, isDirect, type Layout, layoutOf, newMemory, page, pages, stagingBytes } from './layout.js'
import { type BoundCall, writeTable } from './lockstep.js'
import { mayShare } from './spawn.js'
import type { Team } from './threads.js'
import type { Comparison } from './wide.js'

/**
 * The CPU path. One linear memory holds, from the front: the threads' control block and statics, the calls' parameter
 * blocks and tables for the other threads, the constants in the kernels' panels, what the setup calls derive from them,
 * and the arena. Everything is laid out when a session loads (again for a new binding of the free dimensions); a run
 * only copies inputs in, makes the calls, and copies outputs out.
 */
/** Bytes behind the arena that the kernels' last vectors may read, not write. */
const overread = 64

interface Bound {
  readonly key: string
  readonly plan: Plan
  readonly calls: readonly BoundCall[]
  readonly inputs: readonly number[]
  readonly outputs: readonly { at: number; length: number }[]
}

type AddressOf = (argument: Omit<Argument, 'access'>) => number

class WasmExecutor implements Executor {
  private bound: Bound | undefined
  private compare: Comparison | undefined
  private readonly narrow: ReadonlySet<number>

  private constructor(
    private readonly header: Header,
    private readonly exports: Exports,
    private memory: WebAssembly.Memory | undefined,
    private readonly layout: Layout,
    private readonly team: Team | undefined,
    private readonly maxMemory: number
  ) {
    this.narrow = new Set(header.narrow)
  }

  static async load(
    file: Promise<CairnFile>,
    { numThreads, maxMemory = mostMemory }: LoadOptions
  ): Promise<WasmExecutor> {
    const count = mayShare() ? numThreads : 1
    const starting = count > 1 ? import('./threads.js').then(({ Team }) => new Team(count)) : undefined
    try {
      const [module, arriving, team] = await Promise.all([kernelsFor(file, count > 1), file, starting])
      const { header } = arriving
      const layout = layoutOf(header, count)
      const memory = newMemory(pages(layout.arena + stagingBytes(header), maxMemory, 'its constants'), count > 1)
      const { exports } = await instantiate(module, memory)
      for (const { name } of header.kernels)
        if (typeof exports[name] !== 'function' || helpers.has(name))
          throw new CairnError(`the CPU path has no kernel "${name}"; the file was compiled for another version`)
      const executor = new WasmExecutor(header, exports as unknown as Exports, memory, layout, team, maxMemory)
      executor.inform(module)
      executor.compare = widening?.comparison(module)
      await executor.fill(arriving)
      await team?.gather()
      return executor
    } catch (error) {
      await (await starting)?.release()
      throw error
    }
  }

  /** Loads the constants as they arrive and makes the setup calls as soon as they can be, on one thread. */
  private async fill({ header, source, length }: CairnFile): Promise<void> {
    const { layout } = this
    const { constants, setup } = header
    const spare = new Spare()
    const placeOf = (index: number) => {
      const at = layout.constants[index]
      if (at < 0 || !isDirect(constants[index])) return undefined
      return new Uint8Array(this.memory!.buffer, at, constants[index].bytes)
    }
    /** What has arrived; sections that only setup calls read with their bytes, until these have been made. */
    const arrived = new Map<number, Uint8Array | undefined>()
    const waiting = [...setup]
    for await (const [index, bytes] of arrivals(source, constants, placeOf, spare)) {
      const stays = layout.constants[index] >= 0
      arrived.set(index, stays ? undefined : bytes)
      if (stays) this.loadConstant(bytes, constants[index], layout.constants[index], layout.arena)
      if (stays && bytes.buffer !== this.memory!.buffer) spare.give(bytes)
      while (waiting.length && constantsOf(waiting[0]).every(each => arrived.has(each))) {
        const call = waiting.shift()!
        this.runSetup(arrived, call)
        for (const each of constantsOf(call)) {
          const held = arrived.get(each)
          if (!held || waiting.some(later => constantsOf(later).includes(each))) continue
          spare.give(held)
          arrived.set(each, undefined)
        }
      }
    }
    await source.end(length)
    if (!header.free.length) this.bind({})
  }

  /** Tells the workers what they need to make ready while this thread loads the constants. */
  private inform(module: WebAssembly.Module): void {
    const { kernels, calls } = this.header
    const { tables, tableBytes } = this.layout
    const common = { module, memory: this.memory!, kernels: kernels.map(({ name }) => name), calls: calls.length }
    this.team?.inform(common, thread => tables + (thread - 1) * tableBytes)
  }

  readonly states = {
    read: (index: number) => this.state(index).slice(),
    write: (index: number, elements: ArrayLike<number>) => this.state(index).set(elements)
  }

  private state(index: number): Float32Array {
    return new Float32Array(this.memory!.buffer, this.layout.derived[index], this.header.derived[index])
  }

  get threads(): number {
    return this.team?.count ?? 1
  }

  get memoryBytes(): number {
    return this.memory?.buffer.byteLength ?? 0
  }

  run(
    feeds: readonly Float32Array[],
    bindings: Bindings,
    _places?: readonly Place[],
    signal?: AbortSignal
  ): Float32Array[] | Promise<Float32Array[]> {
    return finish(this.performed(this.feed(feeds, bindings)), signal)
  }

  private *performed({ calls, outputs }: Bound): Generator<number, Float32Array[]> {
    yield* this.perform(calls)
    const { buffer } = this.memory!
    return outputs.map(({ at, length }) => new Float32Array(buffer, at, length).slice())
  }

  profile(feeds: readonly Float32Array[], bindings: Bindings): number[] {
    const { calls } = this.feed(feeds, bindings)
    let last = performance.now()
    const times: number[] = []
    for (const _ of this.perform(calls)) {
      const now = performance.now()
      times.push(now - last)
      last = now
    }
    return times
  }

  observe(feeds: readonly Float32Array[], bindings: Bindings, see: Observer): void {
    const { calls, plan } = this.bind(bindings)
    const { calls: unbound, storages } = this.header
    // No byte says that nothing has written it; the reference's are 0 there too.
    const kindOf = (storage: number) => (this.narrow.has(storage) ? Uint8Array : Float32Array)
    const elementsOf = (storage: number, count: number) =>
      new (kindOf(storage))(this.memory!.buffer, this.layout.arena + plan.offsets[storage], count)
    const spoil = (call: number) =>
      plan.blocks.forEach(({ first, bytes }, i) => {
        if (first === call) elementsOf(i, bytes / kindOf(i).BYTES_PER_ELEMENT).fill(Number.NaN)
      })
    spoil(-1)
    this.feed(feeds, bindings)
    spoil(0)
    for (const at of this.perform(calls, true)) {
      see(
        at,
        storagesWritten(unbound[at]).map(i => elementsOf(i, evaluate(storages[i], bindings)))
      )
      spoil(at + 1)
    }
  }

  /** Makes the calls one by one: who asks for no more has ended the run; in an observed one the other threads wait for that. */
  private *perform(calls: readonly BoundCall[], observed = false): Generator<number, void> {
    const { team, exports } = this
    team?.begin(exports, observed)
    let meetings = calls.length * (observed ? 2 : 1)
    try {
      for (const [at, call] of calls.entries()) {
        meetings--
        if (team) team.step(call, at)
        else this.make(call, at)
        yield at
        if (!observed) continue
        meetings--
        team?.goOn()
      }
    } finally {
      if (meetings) team?.abandon(meetings)
      else team?.end()
    }
    const failed = team?.failed()
    if (failed !== undefined) throw this.failure(failed)
  }

  /** One call, where there is one thread. */
  private make(call: BoundCall, at: number): void {
    try {
      call.kernel(...call.arguments)
    } catch {
      throw this.failure(at)
    }
  }

  /** Of a kernel that has trapped, as none does whose call has been checked (runtime/check). */
  private failure(at: number): CairnError {
    const { kernel, node } = this.header.calls[at]
    return new CairnError(`kernel ${this.header.kernels[kernel].name} of "${node}" has failed; the file is damaged`)
  }

  private feed(feeds: readonly Float32Array[], bindings: Bindings): Bound {
    const bound = this.bind(bindings)
    const { buffer } = this.memory!
    feeds.forEach((feed, i) => new Float32Array(buffer, bound.inputs[i], feed.length).set(feed))
    return bound
  }

  async release(): Promise<void> {
    this.memory = undefined
    this.bound = undefined
    await this.team?.release()
  }

  /**
   * Puts a section that has arrived in its place, unless that is where it arrived; halves that are not kept are widened
   * and last panels padded on the way, for which `staging` is the address of free memory.
   */
  private loadConstant(bytes: Uint8Array, constant: Section, at: number, staging: number): void {
    const { buffer } = this.memory!
    const memory = new Uint8Array(buffer)
    const first = isDirect(constant) ? at : staging
    const words = Math.ceil(constant.bytes / 4)
    if (bytes.buffer !== buffer) memory.set(bytes, first)
    memory.fill(0, first + constant.bytes, first + words * 4)
    if (this.exports.digest(first, words) >>> 0 !== constant.digest)
      throw new CairnError(`the section at byte ${constant.offset} is damaged: its digest does not match`)
    if (isDirect(constant)) return
    const elements = constant.bytes / widthOf(constant.stored)
    const length = paddedLength(constant)
    if (constant.kept === 'f16') {
      unpackInto(new Uint16Array(buffer, at, length), constant, new Uint16Array(buffer, staging, elements))
      return
    }
    const target = new Float32Array(buffer, at, length)
    if (constant.stored === 'f32') unpackInto(target, constant, new Float32Array(buffer, staging, elements))
    else {
      this.exports.widen(staging, at, elements)
      if (length !== elements) unpackInto(target, constant, target.slice(0, elements))
    }
  }

  /** Loads what only this call reads to where the arena will be, and makes the call. */
  private runSetup(arrived: ReadonlyMap<number, Uint8Array | undefined>, call: Call): void {
    const { constants } = this.header
    const addresses = new Map<number, number>()
    let free = this.layout.arena
    for (const { space, index } of call.arguments) {
      if (space !== 'constant' || this.layout.constants[index] >= 0 || addresses.has(index)) continue
      addresses.set(index, free)
      free = align(free + residentBytes(constants[index]))
      this.loadConstant(arrived.get(index)!, constants[index], addresses.get(index)!, free)
    }
    const view = new DataView(this.memory!.buffer)
    const bound = this.bindCall(call, page, view, {}, argument =>
      argument.space === 'constant' && addresses.has(argument.index)
        ? addresses.get(argument.index)!
        : this.staticAddress(argument)
    )
    bound.kernel(...bound.arguments)
  }

  private staticAddress({ space, index }: Omit<Argument, 'access'>): number {
    return space === 'constant' ? this.layout.constants[index] : this.layout.derived[index]
  }

  private staticBytes({ space, index }: Omit<Argument, 'access'>): number {
    const { constants, derived } = this.header
    return space === 'constant' ? residentBytes(constants[index]) : derived[index] * 4
  }

  private bind(bindings: Bindings): Bound {
    const { header } = this
    const key = header.free.map(name => bindings[name]).join()
    if (this.bound?.key === key) return this.bound
    // Until the parameter blocks are written, no binding holds.
    this.bound = undefined
    const plan = planProgram(header, bindings, this.threads)
    const missing =
      pages(this.layout.arena + plan.bytes + overread, this.maxMemory, `bound to ${key || 'its shapes'}`) -
      this.memory!.buffer.byteLength / page
    if (missing > 0) this.grow(missing)
    const view = new DataView(this.memory!.buffer)
    const addressOf: AddressOf = argument => {
      const { space, index } = argument
      const width = space === 'storage' && this.narrow.has(index) ? 1 : 4
      const offset = evaluate(argument.offset, bindings) * width
      const size = space === 'storage' ? plan.blocks[index].bytes : this.staticBytes(argument)
      const from = space === 'storage' ? this.layout.arena + plan.offsets[index] : this.staticAddress(argument)
      // Of nothing a view may begin anywhere.
      if (size === 0) return from
      if (!(offset >= 0 && offset <= size))
        throw new CairnError(`${space} ${index} of ${size} bytes is used at byte ${offset}`)
      return from + offset
    }
    const portAt = (port: Pick<Port, 'storage' | 'offset'>) =>
      addressOf({ space: 'storage', index: port.storage, offset: port.offset })
    let block = page
    const calls = header.calls.map(call => {
      const bound = this.bindCall(call, block, view, bindings, addressOf)
      block += call.parameters.length * 4
      return bound
    })
    this.writeTables(calls, plan)
    this.compare?.(header, calls, this.exports, this.memory!, index => ({
      at: this.layout.arena + plan.offsets[index],
      bytes: plan.blocks[index].bytes
    }))
    this.bound = {
      key,
      plan,
      calls,
      inputs: header.inputs.map(portAt),
      outputs: resultsOf(header).map(port => ({
        at: portAt(port),
        length: port.shape.reduce<number>((count, dim) => count * evaluate(dim, bindings), 1)
      }))
    }
    return this.bound
  }

  private grow(missing: number): void {
    try {
      this.memory!.grow(missing)
    } catch {
      throw new CairnError(`no memory for ${missing * page} bytes more than ${this.memoryBytes}`)
    }
  }

  /** What the other threads call: the same, but each with its own part of what is scratch. */
  private writeTables(calls: readonly BoundCall[], plan: Plan): void {
    if (!this.team) return
    const { tables, tableBytes } = this.layout
    for (let thread = 1; thread < this.threads; thread++) {
      const table = new Int32Array(this.memory!.buffer, tables + (thread - 1) * tableBytes, tableBytes / 4)
      const own = this.header.calls.map((call, at) => {
        const [block, ...buffers] = calls[at].arguments
        const moved = call.arguments.map(({ access, index }, i) =>
          access === 'scratch' ? buffers[i] + (thread * plan.blocks[index].bytes) / this.threads : buffers[i]
        )
        return { kernel: call.kernel, arguments: [block, ...moved] }
      })
      writeTable(table, own)
    }
    this.team.renew()
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

export const wasmBackend: Backend = { name: 'wasm', load: (file, options) => WasmExecutor.load(file, options) }
