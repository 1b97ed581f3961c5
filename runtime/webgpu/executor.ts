import {
  type Elements,
  type Executor,
  type GpuDispatch,
  type GpuMemory,
  type LoadOptions,
  type Place,
  type Ran,
  refuseFaults,
  type StateMemory,
  type TopRows
} from '../backend/index.js'
import { CairnError } from '../base/index.js'
import { type Bindings, type CairnFile, type Header, type Observer, type Stored, widthOf } from '../file/index.js'
import { type FitOptions, type FloatOptions, type ImageSource, imageDims, type Scored } from '../tensor/index.js'
import { lease } from './device/device.js'
import { imageToBuffer } from './image.js'
import { loadShaders } from './later.js'
import { Resident } from './resident.js'
import { isArray } from './steps.js'
import { topOfBuffer } from './top.js'

/**
 * A session on WebGPU: a program on a device, and what happens when the device is lost. Then the file is read once more, from
 * where it came, onto another device, and the run that was under way begins again.
 */
export class WebGpuExecutor implements Executor, GpuMemory {
  /** Which device the buffers of tensors are of. */
  private readonly owners = new WeakMap<GPUBuffer, Resident>()

  private constructor(
    private resident: Resident,
    private readonly reload: () => Promise<Resident>
  ) {}

  static async load(file: Promise<CairnFile>, { reopen, provider, maxMemory }: LoadOptions): Promise<WebGpuExecutor> {
    const place = async (arriving: Promise<CairnFile>): Promise<Resident> => {
      const held = await lease(provider.device)
      try {
        const opened = await arriving
        await loadShaders(opened.header)
        const element = elementFor(opened.header, held.device, provider.precision)
        return await Resident.load(held, opened, element, maxMemory)
      } catch (error) {
        held.release()
        throw error
      }
    }
    return new WebGpuExecutor(await place(file), async () => {
      const again = reopen()
      again.catch(() => undefined)
      try {
        return await place(again)
      } finally {
        await again.then(({ source }) => source.close()).catch(() => undefined)
      }
    })
  }

  get memoryBytes(): number {
    return this.resident.memoryBytes
  }

  get precision(): Stored {
    return this.resident.element
  }

  get device(): GPUDevice {
    return this.resident.device
  }

  get dispatches(): GpuDispatch[] {
    return this.resident.dispatches
  }

  run(feeds: readonly Elements[], bindings: Bindings, places: readonly Place[] = []): Promise<Ran> {
    return this.surviving(async resident => {
      this.checkOwners(feeds, resident)
      const results = await resident.run(feeds, bindings, places)
      for (const result of results) if (result && !isArray(result)) this.owners.set(result, resident)
      return results
    })
  }

  profile(feeds: readonly Elements[], bindings: Bindings): Promise<number[]> {
    return this.surviving(async resident => {
      this.checkOwners(feeds, resident)
      const { timeCalls } = await import('./profile.js')
      return timeCalls(resident, feeds, bindings)
    })
  }

  observe(feeds: readonly Elements[], bindings: Bindings, see: Observer): Promise<void> {
    return this.surviving(async resident => {
      this.checkOwners(feeds, resident)
      const { observeCalls } = await import('./observe.js')
      return observeCalls(resident, feeds, bindings, see)
    })
  }

  /** Tensors may stay in this executor's memory. */
  get gpu(): GpuMemory {
    return this
  }

  image(source: ImageSource, options: FitOptions & FloatOptions): Promise<{ buffer: GPUBuffer; dims: number[] }> {
    const dims = imageDims(options)
    const elements = dims.reduce((a, b) => a * b, 1)
    const bytes = Math.ceil((elements * widthOf(this.precision)) / 4) * 4
    return this.surviving(async resident => {
      const buffer = resident.kept.take(bytes)
      try {
        await imageToBuffer(resident.device, buffer, resident.element, source, options)
      } catch (error) {
        resident.kept.give(buffer)
        throw error
      }
      this.owners.set(buffer, resident)
      return { buffer, dims }
    })
  }

  top(feeds: readonly Elements[], bindings: Bindings, output: number, rows: TopRows): Promise<Scored[][]> {
    return this.surviving(async resident => {
      this.checkOwners(feeds, resident)
      const places = resident.outputNames.map((_, i): Place => (i === output ? 'gpu-buffer' : 'none'))
      const ran = await resident.run(feeds, bindings, places)
      const scores = ran[output] as GPUBuffer
      try {
        refuseFaults(resident.program.header, ran, bindings)
        return await topOfBuffer(resident.device, scores, resident.element, rows)
      } finally {
        resident.kept.give(scores)
      }
    })
  }

  async download(buffer: GPUBuffer, elements: number): Promise<Float32Array> {
    const owner = this.owners.get(buffer)
    const data = owner?.lost === undefined ? await owner?.download(buffer, elements) : undefined
    if (!data || owner!.lost !== undefined) throw new CairnError('the tensor was on a GPU device that has been lost')
    return data
  }

  /** Takes back a buffer that a run has given, for later runs. */
  dispose(buffer: GPUBuffer): void {
    this.owners.get(buffer)?.kept.give(buffer)
  }

  async release(): Promise<void> {
    this.resident.release()
  }

  /** Buffers of a device that was lost went with it. */
  private checkOwners(feeds: readonly Elements[], resident: Resident): void {
    for (const feed of feeds)
      if (!isArray(feed) && (this.owners.get(feed) ?? resident) !== resident)
        throw new CairnError('an input was on a GPU device that has been lost; make its tensor again')
  }

  /** Of programs that have any. */
  get states(): StateMemory {
    return {
      read: index =>
        this.surviving(resident => {
          const { at, length } = resident.states.placeOf(index)
          return resident.download(resident.arena!, length, at)
        }),
      write: (index, elements) => {
        const { device, arena, states } = this.resident
        device.queue.writeBuffer(arena!, states.placeOf(index).at * 4, Float32Array.from(elements))
      }
    }
  }

  /** Does `work`; where the device is lost meanwhile, what came of it counts for nothing, and it is done once more on another. */
  private async surviving<T>(work: (resident: Resident) => Promise<T>): Promise<T> {
    const { resident } = this
    let result: { value: T } | undefined
    try {
      if (!resident.lost) result = { value: await work(resident) }
    } catch (error) {
      // The news of a loss may come behind the failure that it causes.
      await Promise.race([resident.device.lost, new Promise(resolve => setTimeout(resolve, 10))])
      if (!resident.lost) throw error
    }
    if (result && !resident.lost) return result.value
    const reason = resident.lost
    resident.release()
    if (resident.states.elements)
      throw new CairnError(`the GPU device was lost (${reason}), and what was learnt with it`)
    try {
      this.resident = await this.reload()
    } catch (error) {
      throw new CairnError(`the GPU device was lost (${reason}) and there is no other: ${(error as Error).message}`)
    }
    return work(this.resident)
  }
}

/** Kernels of whole numbers that are larger than a half holds, and of places that need more digits than it has. */
export const beyondHalves = new Set(
  'argmax cumsum gather gridSample nms nonZero poolIndex recurrent roiAlign scatter topk'.split(' ')
)

/** Halves where the file has them, the device computes with them, and no value needs more than their range of integers. */
function elementFor(header: Header, device: GPUDevice, wanted: Stored | undefined): Stored {
  const able = device.features.has('shader-f16')
  if (wanted === 'f16' && !able) throw new CairnError('this device has no half precision (shader-f16); f32 is allowed')
  if (wanted || !able || header.states.length) return wanted ?? 'f32'
  const asked = header.constants.some(({ stored }) => stored === 'f16')
  const floats = [...header.inputs, ...header.outputs].every(({ dtype }) => dtype.startsWith('float'))
  const counting = header.kernels.some(({ name }) => beyondHalves.has(name))
  return asked && floats && !counting ? 'f16' : 'f32'
}
