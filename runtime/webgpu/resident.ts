import { type GpuDispatch, mostMemory, type Place } from '../backend/index.js'
import { CairnError, fromHalves, toHalves } from '../base/index.js'
import {
  type Argument,
  type Bindings,
  type CairnFile,
  evaluate,
  type Port,
  planProgram,
  resultsOf,
  type Stored,
  widthOf
} from '../file/index.js'
import { isImitated, type Lease } from './device/device.js'
import { allocating, scoped } from './device/scopes.js'
import { Kept } from './memory/kept.js'
import { ArenaStates } from './memory/states.js'
import { blockBytes, curveOf, Pipelines } from './pipelines.js'
import { blockOf, type GpuCall, operandOf, writeBlock } from './program/call.js'
import { type GpuProgram, programOf, withScratch } from './program/program.js'
import { type Bound, isArray, mappedRange, type PortPlace, record, type Step, storageAt } from './steps.js'
import { usage } from './usage.js'
import { type Banks, type Buffers, createBuffers, heldOf, planBanks, uploadConstants } from './weights.js'

/** What a free dimension is taken for when pipelines are made ahead of the first run. */
const assumedSize = 1

/**
 * A program on one device. Everything is made when it loads: the constants' banks, an arena in one buffer, a buffer with
 * every call's parameters, the pipelines (while the weights still arrive), a bind group for each bank. A run writes the
 * inputs, records the dispatches in one compute pass, and reads the outputs.
 *
 * The arena is one binding, because WebGPU forbids a buffer that a dispatch reads and writes through two bindings that
 * overlap, and views of one storage do: a dense block writes channels between those that it reads.
 */
export class Resident {
  /** Why the device is gone, once it is. */
  lost: string | undefined
  /** Buffers of tensors that stay on the device. */
  readonly kept: Kept
  readonly states: ArenaStates
  arena: GPUBuffer | undefined
  private readback: GPUBuffer | undefined
  private groups: readonly GPUBindGroup[] = []
  private derivedGroup: GPUBindGroup | undefined
  private bound: Bound | undefined

  private constructor(
    private readonly held: Lease,
    readonly program: GpuProgram,
    private readonly banks: Banks,
    private readonly buffers: Buffers,
    private readonly pipelines: Pipelines,
    /** How activations are held. */
    readonly element: Stored,
    private readonly maxMemory: number
  ) {
    this.kept = new Kept(held.device)
    this.states = new ArenaStates(program.header)
    // A device that outlives its sessions must not keep them.
    const self = new WeakRef(this)
    void held.device.lost.then(({ reason, message }) => {
      const resident = self.deref()
      if (resident) resident.lost = message || reason
    })
  }

  static async load(held: Lease, arriving: CairnFile, element: Stored, maxMemory = mostMemory): Promise<Resident> {
    const { device } = held
    const limit = device.limits.maxStorageBufferBindingSize
    const program = programOf(arriving.header, element, limit, isImitated(device))
    const { header, setup, calls } = program
    const banks = planBanks([...setup, ...calls], header, limit, element)
    const total = [...banks.sizes, banks.derivedBytes].reduce((a, b) => a + b)
    allow(total, maxMemory)
    const buffers = await allocating(device, `${total} bytes of weights`, () =>
      createBuffers(device, banks, calls.length)
    )
    const pipelines = Pipelines.of(device, element)
    const resident = new Resident(held, program, banks, buffers, pipelines, element, maxMemory)
    try {
      const ready = resident.bind(Object.fromEntries(header.free.map(name => [name, assumedSize])))
      // Awaited below; sizes that only a guess has need not fit.
      ready.catch(() => undefined)
      await uploadConstants(arriving, program, banks, buffers.banks, device.queue)
      await resident.makeDerived()
      if (header.free.length) await ready.catch(() => undefined)
      else await ready
      return resident
    } catch (error) {
      resident.release()
      throw error
    }
  }

  get device(): GPUDevice {
    return this.held.device
  }

  /** Whether dispatches are chosen for a program on the CPU. */
  private get imitated(): boolean {
    return isImitated(this.device)
  }

  get memoryBytes(): number {
    return this.allBuffers.reduce((sum, { size }) => sum + size, this.kept.bytes)
  }

  get outputNames(): string[] {
    return this.program.header.outputs.map(({ name }) => name)
  }

  /** Calls of the file. */
  get callCount(): number {
    return this.program.calls.reduce((count, { origin }) => Math.max(count, origin + 1), 0)
  }

  private get allBuffers(): GPUBuffer[] {
    const { banks, parameters, derived } = this.buffers
    return [...banks, parameters, derived, this.arena, this.readback].filter(buffer => buffer !== undefined)
  }

  get dispatches(): GpuDispatch[] {
    const steps = this.bound?.steps ?? []
    const pipelines = [...new Set(steps.map(({ pipeline }) => pipeline))]
    return steps.map(({ call, node, kernel, pipeline, dispatch, block, operand }) => ({
      ...dispatch,
      call,
      node,
      kernel,
      block,
      operand,
      pipeline: pipelines.indexOf(pipeline)
    }))
  }

  /**
   * Records inputs, dispatches and what `behind` adds, and submits them. Throws CairnError for what the device refuses.
   * Inputs are elements or buffers of the device.
   */
  async submit(
    feeds: readonly (Float32Array | GPUBuffer)[],
    { steps, inputs }: Bound,
    behind: (encoder: GPUCommandEncoder, arena: GPUBuffer) => void
  ): Promise<void> {
    const { device } = this
    await scoped(device, 'a run', () => {
      const encoder = device.createCommandEncoder()
      feeds.forEach((feed, i) => {
        const { at, elements } = inputs[i]
        if (!isArray(feed)) encoder.copyBufferToBuffer(feed, 0, this.arena!, at, this.bytesOf(elements))
        else device.queue.writeBuffer(this.arena!, at, this.narrowed(feed))
      })
      const pass = encoder.beginComputePass()
      record(pass, steps)
      pass.end()
      behind(encoder, this.arena!)
      device.queue.submit([encoder.finish()])
    })
  }

  /** Runs once; `places` says where outputs are wanted, on the CPU by default. */
  async run(
    feeds: readonly (Float32Array | GPUBuffer)[],
    bindings: Bindings,
    places: readonly Place[]
  ): Promise<(Float32Array | GPUBuffer | undefined)[]> {
    const bound = await this.bind(bindings)
    const readback = this.readback!
    const placeOf = (output: number) => places[output] ?? 'cpu'
    const buffers = bound.outputs.map(({ elements }, i) =>
      placeOf(i) === 'gpu-buffer' ? this.kept.take(this.bytesOf(elements)) : undefined
    )
    const submitted = this.submit(feeds, bound, (encoder, arena) => {
      bound.outputs.forEach(({ at, elements, to }, i) => {
        const size = this.bytesOf(elements)
        if (buffers[i]) encoder.copyBufferToBuffer(arena, at, buffers[i], 0, size)
        else if (placeOf(i) === 'cpu') encoder.copyBufferToBuffer(arena, at, readback, to, size)
      })
    })
    const isRead = bound.outputs.some((_, i) => placeOf(i) === 'cpu')
    const mapping = isRead ? mappedRange(readback) : Promise.resolve(new ArrayBuffer(0))
    try {
      const [mapped] = await Promise.all([mapping, submitted])
      return bound.outputs.map(({ elements, to }, i) =>
        placeOf(i) === 'cpu' ? this.widened(mapped, to, elements) : buffers[i]
      )
    } catch (error) {
      for (const buffer of buffers) if (buffer) this.kept.give(buffer)
      throw error
    } finally {
      // What a refused run leaves to be read is nobody's.
      if (isRead) await mapping.then(() => readback.unmap()).catch(() => undefined)
    }
  }

  /** Elements of a buffer that a run has kept, from the `first` on. */
  async download(buffer: GPUBuffer, elements: number, first = 0): Promise<Float32Array> {
    const { device } = this
    const size = this.bytesOf(elements)
    const target = device.createBuffer({ size, usage: usage.mapRead | usage.copyTarget })
    try {
      await scoped(device, 'a download', () => {
        const encoder = device.createCommandEncoder()
        encoder.copyBufferToBuffer(buffer, first * widthOf(this.element), target, 0, size)
        device.queue.submit([encoder.finish()])
      })
      return this.widened(await mappedRange(target), 0, elements)
    } finally {
      target.destroy()
    }
  }

  release(): void {
    for (const buffer of this.allBuffers) buffer.destroy()
    this.kept.release()
    this.bound = undefined
    this.held.release()
  }

  /** Bytes of so many elements in the arena, in whole words. */
  private bytesOf(elements: number): number {
    return Math.ceil((elements * widthOf(this.element)) / 4) * 4
  }

  private narrowed(feed: Float32Array): Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> {
    if (this.element === 'f32') return feed as Float32Array<ArrayBuffer>
    return toHalves(feed, Math.ceil(feed.length / 2) * 2)
  }

  /** Elements of what has been read from the device, from byte `at` on. */
  widened(mapped: ArrayBuffer, at: number, elements: number): Float32Array {
    if (this.element === 'f32') return new Float32Array(mapped, at, elements).slice()
    return fromHalves(new Uint16Array(mapped, at, elements))
  }

  /** Everything that depends on the free dimensions; kept until they change. */
  async bind(bindings: Bindings): Promise<Bound> {
    const { header, calls } = this.program
    const key = header.free.map(name => bindings[name]).join()
    if (this.bound?.key === key) return this.bound
    this.bound = undefined
    const plan = this.states.inFrontOf(planProgram(withScratch(this.program, bindings, this.imitated), bindings))
    const width = widthOf(this.element)
    const placed = (port: Omit<Port, 'name' | 'dtype'>, to: number): PortPlace => ({
      at: (storageAt(plan, port.storage, port.offset, bindings) + evaluate(port.offset, bindings)) * width,
      elements: port.shape.reduce<number>((count, dim) => count * evaluate(dim, bindings), 1),
      to
    })
    const inputs = header.inputs.map(port => placed(port, 0))
    let results = 0
    const outputs = resultsOf(header).map(port => {
      const place = placed(port, results)
      results += Math.ceil(this.bytesOf(place.elements) / 16) * 16
      return place
    })
    await this.ensure((plan.bytes / 4) * width, results)
    const words = new DataView(new ArrayBuffer(Math.max(calls.length, 1) * blockBytes))
    const steps = await Promise.all(
      calls.flatMap((call, i) => {
        const bank = this.banks.bankOf[this.program.setup.length + i]
        const block = blockOf(call, bindings, argument =>
          argument.space === 'storage'
            ? storageAt(plan, argument.index, argument.offset, bindings)
            : (this.states.addressOf(argument) ?? this.staticPlace(argument, bank))
        )
        writeBlock(block, call, words, i * blockBytes)
        return this.stepsOf(call, block, i, derived => (derived ? this.derivedGroup! : this.groups[bank]))
      })
    )
    this.device.queue.writeBuffer(this.buffers.parameters, 0, words.buffer as ArrayBuffer)
    this.bound = { key, plan, steps, inputs, outputs }
    return this.bound
  }

  /** A call's dispatches, its block being the `at`th of its buffer. */
  private stepsOf(
    gpuCall: GpuCall,
    block: Record<string, number>,
    at: number,
    groupOf: (derived: boolean) => GPUBindGroup
  ): Promise<Step>[] {
    const operand = operandOf(gpuCall)
    const held = heldOf(this.banks, operand, this.element)
    const switches = {
      halves: held === 'f16',
      loaded: operand !== undefined && (operand.space === 'storage' || this.states.addressOf(operand) !== undefined),
      curve: curveOf(block)
    }
    const { name } = this.program.header.kernels[gpuCall.call.kernel]
    const most = this.device.limits.maxComputeWorkgroupsPerDimension
    return gpuCall.shader.dispatches(block, this.imitated).map(async dispatch => {
      if (Math.max(...dispatch.groups) > most)
        throw new CairnError(
          `kernel "${name}" of "${gpuCall.call.node}" needs ${dispatch.groups.join('×')} workgroups; this device takes ${most} in each direction`
        )
      return {
        call: gpuCall.origin,
        node: gpuCall.call.node,
        kernel: name,
        group: groupOf(dispatch.derived ?? false),
        offset: [at * blockBytes] as const,
        groups: dispatch.groups,
        dispatch,
        block,
        operand: held,
        pipeline: await this.pipelines.get(dispatch, switches, name)
      }
    })
  }

  /** Where a constant begins in its bank, or what is derived from constants in its buffer, in elements. */
  private staticPlace({ space, index }: Argument, bank: number): number {
    const { places, held, derivedAt } = this.banks
    return space === 'derived' ? derivedAt[index] : places[bank].get(index)! / widthOf(held[index])
  }

  /** Makes what the setup calls make of constants, in the place of an arena. */
  private async makeDerived(): Promise<void> {
    const { device, buffers } = this
    const { setup } = this.program
    if (!setup.length) return
    const words = new DataView(new ArrayBuffer(setup.length * blockBytes))
    const parameters = device.createBuffer({ size: words.byteLength, usage: usage.uniform | usage.copyTarget })
    const steps = await Promise.all(
      setup.flatMap((call, i) => {
        const bank = this.banks.bankOf[i]
        const block = blockOf(call, {}, argument => this.staticPlace(argument, bank))
        writeBlock(block, call, words, i * blockBytes)
        const group = this.groupOf(buffers.derived!, buffers.banks[bank], parameters)
        return this.stepsOf(call, block, i, () => group)
      })
    )
    device.queue.writeBuffer(parameters, 0, words.buffer as ArrayBuffer)
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    record(pass, steps)
    pass.end()
    device.queue.submit([encoder.finish()])
    parameters.destroy()
  }

  /** Makes arena and readback buffer at least so large, and the bind groups that name the arena. */
  private async ensure(arenaBytes: number, readBytes: number): Promise<void> {
    const { device } = this
    const limit = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize)
    if (arenaBytes > limit)
      throw new CairnError(
        `the model needs ${arenaBytes} bytes for its activations; this device binds ${limit} at once (maxStorageBufferBindingSize)`
      )
    const { sizes, derivedBytes } = this.banks
    allow(
      [...sizes, derivedBytes, readBytes].reduce((a, b) => a + b, arenaBytes),
      this.maxMemory
    )
    await allocating(device, `${arenaBytes} bytes of activations`, () => {
      if (!this.readback || this.readback.size < readBytes) {
        this.readback?.destroy()
        const size = Math.max(readBytes, 16)
        this.readback = device.createBuffer({ label: 'cairn results', size, usage: usage.mapRead | usage.copyTarget })
      }
      if (!this.arena || this.arena.size < arenaBytes) {
        const size = Math.max(Math.ceil(arenaBytes / 16) * 16, 16)
        const flags = usage.storage | usage.copySource | usage.copyTarget
        const before = this.arena
        this.arena = device.createBuffer({ label: 'cairn arena', size, usage: flags })
        if (before) this.states.move(device, before, this.arena)
        before?.destroy()
        const { banks, derived, parameters } = this.buffers
        this.groups = banks.map(bank => this.groupOf(this.arena!, bank, parameters))
        this.derivedGroup = derived && this.groupOf(this.arena, derived, parameters)
      }
    })
  }

  private groupOf(arena: GPUBuffer, bank: GPUBuffer, parameters: GPUBuffer): GPUBindGroup {
    return this.device.createBindGroup({
      layout: this.pipelines.bindings,
      entries: [
        { binding: 0, resource: { buffer: arena } },
        { binding: 1, resource: { buffer: bank } },
        { binding: 2, resource: { buffer: parameters, size: blockBytes } }
      ]
    })
  }
}

function allow(bytes: number, maxMemory: number): void {
  if (bytes > maxMemory) throw new CairnError(`the model needs ${bytes} bytes; ${maxMemory} are allowed`)
}
