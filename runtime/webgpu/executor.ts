import { CairnError, type Executor, type LoadOptions } from '../backend.js'
import { type Bindings, evaluate } from '../dims.js'
import type { CairnFile, Header } from '../format.js'
import { floatToHalf, halfToFloat } from '../half.js'
import { planProgram } from '../plan.js'
import { type Argument, type Stored, widthOf } from '../program.js'
import { type Lease, lease } from './device.js'
import { blockBytes, Pipelines } from './pipelines.js'
import { type GpuCall, programOf } from './program.js'
import { mapRead, usage } from './usage.js'
import { type Banks, createBanks, planBanks, uploadConstants } from './weights.js'

/**
 * Runs programs on WebGPU. Everything is made when a session loads: the constants' banks, an arena in one buffer, a
 * buffer with every call's parameters, the pipelines (while the weights still arrive), one bind group a bank. A run writes the inputs,
 * records the dispatches in one compute pass, and reads the outputs.
 */
interface Step {
  readonly call: number
  readonly pipeline: GPUComputePipeline
  readonly group: GPUBindGroup
  readonly offset: readonly [number]
  readonly groups: readonly [number, number, number]
}

interface Bound {
  readonly key: string
  readonly steps: readonly Step[]
  /** Byte offsets in the arena. */
  readonly inputs: readonly number[]
  readonly outputs: readonly { at: number; elements: number; to: number }[]
}

/** Marks the address of a constant where a kernel takes constants and activations alike (shaders/weights.wgsl). */
const constantBit = 2 ** 31

export class WebGpuExecutor implements Executor {
  private arena: GPUBuffer | undefined
  private readback: GPUBuffer | undefined
  private groups: readonly GPUBindGroup[] = []
  private bound: Bound | undefined
  private readonly element: Stored = 'f32'
  private failure: string | undefined

  private constructor(
    private readonly held: Lease,
    private readonly header: Header,
    private readonly calls: readonly GpuCall[],
    private readonly banks: Banks,
    private readonly weights: readonly GPUBuffer[],
    private readonly parameters: GPUBuffer,
    private readonly pipelines: Pipelines
  ) {}

  static async load(file: Promise<CairnFile>, _options: LoadOptions): Promise<WebGpuExecutor> {
    const held = await lease()
    try {
      const { device } = held
      const arriving = await file
      const { header, calls } = programOf(arriving.header)
      const banks = planBanks(calls, header.constants, device.limits.maxStorageBufferBindingSize)
      device.pushErrorScope('out-of-memory')
      const weights = createBanks(device, banks)
      const size = Math.max(calls.length, 1) * blockBytes
      const parameters = device.createBuffer({
        label: 'cairn parameters',
        size,
        usage: usage.uniform | usage.copyTarget
      })
      const failed = await device.popErrorScope()
      if (failed)
        throw new CairnError(`the GPU has no memory for ${banks.sizes.reduce((a, b) => a + b)} bytes of weights`)
      const pipelines = new Pipelines(device, 'f32')
      const executor = new WebGpuExecutor(held, header, calls, banks, weights, parameters, pipelines)
      device.addEventListener?.('uncapturederror', event => executor.noteFailure(event))
      const usual = Object.fromEntries(header.free.map(name => [name, usualSize]))
      const ready = executor.bind(usual)
      ready.catch(() => undefined)
      await uploadConstants(arriving, banks, weights, device.queue)
      if (!header.free.length) await ready
      else await ready.catch(() => undefined)
      return executor
    } catch (error) {
      held.release()
      throw error
    }
  }

  private noteFailure(event: GPUUncapturedErrorEvent): void {
    this.failure ??= event.error.message.split('\n')[0]
  }

  get memoryBytes(): number {
    const sizes = [...this.banks.sizes, this.arena?.size ?? 0, this.parameters.size, this.readback?.size ?? 0]
    return sizes.reduce((a, b) => a + b)
  }

  /** Pipelines that the session's calls need. */
  get pipelineCount(): number {
    return this.pipelines.count
  }

  async run(feeds: readonly Float32Array[], bindings: Bindings): Promise<Float32Array[]> {
    const { device } = this.held
    const { steps, inputs, outputs } = await this.bind(bindings)
    this.write(feeds, inputs)
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    for (const { pipeline, group, offset, groups } of steps) {
      pass.setPipeline(pipeline)
      pass.setBindGroup(0, group, offset)
      pass.dispatchWorkgroups(...groups)
    }
    pass.end()
    const readback = this.readback!
    const width = widthOf(this.element)
    for (const { at, elements, to } of outputs)
      encoder.copyBufferToBuffer(this.arena!, at, readback, to, Math.ceil((elements * width) / 4) * 4)
    device.queue.submit([encoder.finish()])
    await readback.mapAsync(mapRead)
    const mapped = readback.getMappedRange()
    const results = outputs.map(({ elements, to }) =>
      width === 4
        ? new Float32Array(mapped, to, elements).slice()
        : Float32Array.from(new Uint16Array(mapped, to, elements), halfToFloat)
    )
    readback.unmap()
    this.check()
    return results
  }

  private write(feeds: readonly Float32Array[], inputs: readonly number[]): void {
    const { queue } = this.held.device
    feeds.forEach((feed, i) => {
      if (this.element === 'f32') queue.writeBuffer(this.arena!, inputs[i], feed as Float32Array<ArrayBuffer>)
      else {
        const halves = new Uint16Array(Math.ceil(feed.length / 2) * 2)
        feed.forEach((value, at) => (halves[at] = floatToHalf(value)))
        queue.writeBuffer(this.arena!, inputs[i], halves)
      }
    })
  }

  private check(): void {
    const { failure } = this
    this.failure = undefined
    if (failure) throw new CairnError(`WebGPU refused a run: ${failure}`)
  }

  async release(): Promise<void> {
    for (const buffer of [...this.weights, this.parameters, this.arena, this.readback]) buffer?.destroy()
    this.bound = undefined
    this.held.release()
  }

  private async bind(bindings: Bindings): Promise<Bound> {
    const { header, calls, banks } = this
    const key = header.free.map(name => bindings[name]).join()
    if (this.bound?.key === key) return this.bound
    this.bound = undefined
    const { device } = this.held
    const sized = this.withScratch(bindings)
    const plan = planProgram(sized, bindings)
    const width = widthOf(this.element)
    const outputs = this.placeOutputs(bindings)
    await this.ensure((plan.bytes / 4) * width, outputs.bytes)

    const words = new DataView(new ArrayBuffer(calls.length * blockBytes))
    const planned = calls.map((call, i) => {
      const block = this.blockOf(call, i, bindings, ({ index }) => plan.offsets[index] / 4)
      call.fields.forEach((field, at) => {
        const where = i * blockBytes + at * 4
        if (call.letters[at] === 'f') words.setFloat32(where, block[field], true)
        else words.setInt32(where, block[field], true)
      })
      const halves = call.call.arguments.some(
        ({ space, index }, at) =>
          space === 'constant' &&
          banks.held[index] === 'f16' &&
          call.fields[call.letters.length + at] === `${call.shader.halves}At`
      )
      return call.shader.dispatches(block).map(dispatch => ({
        call: i,
        group: this.groups[banks.bankOf[i]],
        offset: [i * blockBytes] as const,
        groups: dispatch.groups,
        pipeline: this.pipelines.get(dispatch, halves, header.kernels[call.call.kernel].name)
      }))
    })
    device.queue.writeBuffer(this.parameters, 0, words.buffer as ArrayBuffer)
    const steps = await Promise.all(planned.flat().map(async step => ({ ...step, pipeline: await step.pipeline })))
    const portAt = ({ storage, offset }: Header['inputs'][number]) =>
      (plan.offsets[storage] / 4 + evaluate(offset, bindings)) * width
    this.bound = {
      key,
      steps,
      inputs: header.inputs.map(portAt),
      outputs: header.outputs.map((port, i) => ({ ...outputs.ports[i], at: portAt(port) }))
    }
    return this.bound
  }

  /** The schedule with the scratch memory that shaders need instead of the CPU kernels'. */
  private withScratch(bindings: Bindings): Header {
    const storages = [...this.header.storages]
    this.calls.forEach((call, i) =>
      call.call.arguments.forEach(({ access, index }) => {
        if (access !== 'scratch') return
        const block = this.blockOf(call, i, bindings, () => 0)
        storages[index] = call.shader.scratch?.(block) ?? 0
      })
    )
    return { ...this.header, storages }
  }

  /** A call's parameters and the addresses of its buffers, in elements. */
  private blockOf(
    { call, shader, fields, letters }: GpuCall,
    at: number,
    bindings: Bindings,
    storageAt: (argument: Argument) => number
  ): Record<string, number> {
    const block: Record<string, number> = {}
    call.parameters.forEach((parameter, i) => {
      const value = evaluate(parameter, bindings)
      block[fields[i]] = letters[i] === 'f' ? value : letters[i] === 'i' ? value | 0 : value >>> 0
    })
    const places = this.banks.places[this.banks.bankOf[at]]
    call.arguments.forEach((argument, i) => {
      const field = fields[letters.length + i]
      const offset = evaluate(argument.offset, bindings)
      if (argument.space === 'storage') {
        block[field] = storageAt(argument) + offset
        return
      }
      const either = shader.either?.includes(field.slice(0, -2)) ? constantBit : 0
      block[field] = places.get(argument.index)! / widthOf(this.banks.held[argument.index]) + offset + either
    })
    return block
  }

  private placeOutputs(bindings: Bindings): { ports: { elements: number; to: number }[]; bytes: number } {
    let bytes = 0
    const ports = this.header.outputs.map(({ shape }) => {
      const elements = shape.reduce<number>((count, dim) => count * evaluate(dim, bindings), 1)
      const to = bytes
      bytes += Math.ceil((elements * widthOf(this.element)) / 16) * 16
      return { elements, to }
    })
    return { ports, bytes }
  }

  /** Makes arena and readback buffer at least so large, and the bind groups that name the arena. */
  private async ensure(arenaBytes: number, readBytes: number): Promise<void> {
    const { device } = this.held
    const limit = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize)
    if (arenaBytes > limit)
      throw new CairnError(
        `the model needs ${arenaBytes} bytes for its activations; this device binds ${limit} at once (maxStorageBufferBindingSize)`
      )
    device.pushErrorScope('out-of-memory')
    if (!this.readback || this.readback.size < readBytes) {
      this.readback?.destroy()
      const size = Math.max(readBytes, 16)
      this.readback = device.createBuffer({ label: 'cairn results', size, usage: usage.mapRead | usage.copyTarget })
    }
    if (!this.arena || this.arena.size < arenaBytes) {
      this.arena?.destroy()
      const size = Math.max(Math.ceil(arenaBytes / 16) * 16, 16)
      const flags = usage.storage | usage.copySource | usage.copyTarget
      this.arena = device.createBuffer({ label: 'cairn arena', size, usage: flags })
      this.groups = this.weights.map(bank =>
        device.createBindGroup({
          layout: this.pipelines.bindings,
          entries: [
            { binding: 0, resource: { buffer: this.arena! } },
            { binding: 1, resource: { buffer: bank } },
            { binding: 2, resource: { buffer: this.parameters, size: blockBytes } }
          ]
        })
      )
    }
    if (await device.popErrorScope())
      throw new CairnError(`the GPU has no memory for ${arenaBytes} bytes of activations`)
  }
}

/** What a free dimension is taken for when pipelines are made ahead of the first run. */
const usualSize = 1
