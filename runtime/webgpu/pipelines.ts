import type { Dispatch } from '../../shaders/dispatch.js'
import { sources } from '../../shaders/sources.js'
import { CairnError } from '../base/index.js'
import type { Stored } from '../file/index.js'
import { languageHas } from './device/device.js'
import { computeStage } from './usage.js'

/** Bytes that a call's parameters may take; also the distance from one to the next. */
export const blockBytes = 256

/** The feature, and the end of the names of files that need it. */
const subgroups = 'subgroups'

/** What modules that share a file are told alike. */
export interface Switches {
  /** The operand that may be halves is (shaders/weights.wgsl). */
  readonly halves: boolean
  /** That operand lies in the arena. */
  readonly loaded: boolean
  /** The activation, if it is more than a bound (shaders/elementwise/activation.wgsl). */
  readonly curve: number
}

/** The last of the activations that are no more than a bound (compiler/ops/elementwise/activation.ts). */
const lastBound = 1
/** Each call says for itself. */
const anyCurve = 0xffffffff

/** What pipelines are told of a call's activation. */
export const curveOf = ({ act = anyCurve }: Readonly<Record<string, number>>) => (act > lastBound ? act : 0)

/**
 * The pipelines of one device, which its sessions share: one for each shader module, entry point and set of constants,
 * made when first asked for.
 */
export class Pipelines {
  private static readonly known = new WeakMap<GPUDevice, Map<Stored, Pipelines>>()

  static of(device: GPUDevice, element: Stored): Pipelines {
    const known = Pipelines.known.get(device) ?? new Map<Stored, Pipelines>()
    Pipelines.known.set(device, known)
    const pipelines = known.get(element) ?? new Pipelines(device, element)
    known.set(element, pipelines)
    return pipelines
  }

  readonly bindings: GPUBindGroupLayout
  private readonly layout: GPUPipelineLayout
  private readonly modules = new Map<string, GPUShaderModule>()
  private readonly made = new Map<string, Promise<GPUComputePipeline>>()

  private constructor(
    private readonly device: GPUDevice,
    private readonly element: Stored
  ) {
    this.bindings = device.createBindGroupLayout({
      entries: [
        { binding: 0, visibility: computeStage, buffer: { type: 'storage' } },
        { binding: 1, visibility: computeStage, buffer: { type: 'read-only-storage' } },
        { binding: 2, visibility: computeStage, buffer: { type: 'uniform', hasDynamicOffset: true } }
      ]
    })
    this.layout = device.createPipelineLayout({ bindGroupLayouts: [this.bindings] })
  }

  /** `kernel` is who asks, for the error of a shader that does not compile. */
  get({ files, entry, constants, vector }: Dispatch, switches: Switches, kernel: string): Promise<GPUComputePipeline> {
    const kinds = [
      ...(languageHas('packed_4x8_integer_dot_product') ? ['packed'] : []),
      ...(this.device.features.has(subgroups) ? [subgroups] : [])
    ]
    const chosen = files.map(file => kinds.map(kind => `${file}-${kind}`).find(name => sources[name]) ?? file)
    const texts = [`element-${this.element}`, `arena-${vector ? 'vector' : 'scalar'}`, ...chosen]
    const all = {
      ...constants,
      ...(files.includes('weights') ? { HALVES: Number(switches.halves), LOADED: Number(switches.loaded) } : {}),
      ...(files.includes('activation') ? { CURVE: switches.curve } : {})
    }
    const key = `${texts} ${entry} ${JSON.stringify(all)}`
    let pipeline = this.made.get(key)
    if (!pipeline) {
      pipeline = this.make(texts, entry, all, kernel)
      // Whoever asked awaits it; until then a failure is nobody's.
      pipeline.catch(() => undefined)
      this.made.set(key, pipeline)
    }
    return pipeline
  }

  private async make(
    texts: readonly string[],
    entryPoint: string,
    constants: Readonly<Record<string, number>>,
    kernel: string
  ): Promise<GPUComputePipeline> {
    const name = texts.join('+')
    let module = this.modules.get(name)
    if (!module) {
      // What is wrong with it is asked for below; nobody else need hear of it.
      this.device.pushErrorScope('validation')
      const head = name.includes(subgroups) ? ['enable subgroups;'] : []
      const code = [...head, ...texts.map(text => sources[text])].join('\n')
      module = this.device.createShaderModule({ label: name, code })
      void this.device.popErrorScope()
      this.modules.set(name, module)
    }
    try {
      return await this.device.createComputePipelineAsync({
        label: `${kernel} ${entryPoint}`,
        layout: this.layout,
        compute: { module, entryPoint, constants }
      })
    } catch (error) {
      const { messages } = await module.getCompilationInfo()
      const [first] = messages.filter(({ type }) => type === 'error')
      const where = first ? `line ${first.lineNum}: ${first.message}` : (error as Error).message
      throw new CairnError(`the shader ${name} of kernel "${kernel}" does not compile on this device: ${where}`)
    }
  }
}
