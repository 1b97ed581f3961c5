import { kindOf } from '../compiler/index.js'
import { brandOf, bytesOf, CairnError } from '../runtime/base/index.js'
import { InferenceSession } from '../runtime/index.js'
import { copyFloats, type Tensor } from '../runtime/tensor/index.js'
import type { Explanation } from './explanation.js'
import { Gradients } from './gradients.js'
import { pixelsOf } from './maps.js'
import { occlude } from './occlusion.js'
import { type ExplainerOptions, type ExplainOptions, type Settings, settingsOf } from './options.js'

/** ONNX bytes, those of a .cairn file, or a session; methods with gradients take ONNX bytes alone. */
export type Explained = Uint8Array | ArrayBuffer | InferenceSession

/** A model whose answers are explained by one method. Made by `Explainer.create`; what it has compiled serves inputs of one size. */
export class Explainer {
  private gradients: Gradients | undefined
  private queue: Promise<unknown> = Promise.resolve()

  private constructor(
    private readonly settings: Settings,
    private readonly bytes: Uint8Array | undefined,
    private session: InferenceSession | undefined
  ) {}

  /**
   * Throws CairnError for options that cannot be, and for a model that a method with gradients cannot take: a session and a .cairn
   * file hold calls of kernels, not the graph that gradients are made of.
   */
  static async create(model: Explained, options: ExplainerOptions = {}): Promise<Explainer> {
    const settings = settingsOf(options)
    const bytes = bytesOf(model)
    const needsGraph = settings.method !== 'occlusion'
    if (needsGraph && (!bytes || kindOf(bytes)?.name === 'cairn'))
      throw new CairnError(
        `${settings.method} needs gradients, which a compiled model does not have: give the .onnx; occlusion takes this one`
      )
    if (!bytes && !isSession(model))
      throw new CairnError('what is explained is ONNX bytes, those of a .cairn file, or a session')
    return new Explainer(settings, bytes, bytes ? undefined : (model as InferenceSession))
  }

  /**
   * Explains one input, [1, C, H, W] or [1, H, W, C]. Throws CairnError or CompileError for an input, a layer or a class that the
   * model does not have, and for an operator without a gradient. Calls queue.
   */
  explain(input: Tensor, options: ExplainOptions = {}): Promise<Explanation> {
    const made = this.queue.then(() => this.explainOne(input, options))
    this.queue = made.catch(() => undefined)
    return made
  }

  private async explainOne(input: Tensor, options: ExplainOptions): Promise<Explanation> {
    const { dims } = input
    pixelsOf(dims)
    const elements = copyFloats(input)
    if (this.settings.method === 'occlusion')
      return occlude(await this.opened(), elements, dims, this.settings, options)
    if (!this.gradients?.fits(dims)) {
      await this.gradients?.release()
      this.gradients = undefined
      this.gradients = await Gradients.open(this.bytes!, dims, this.settings)
    }
    return this.gradients.explain(elements, options)
  }

  /** The session that occlusion runs. */
  private async opened(): Promise<InferenceSession> {
    const { device, numThreads, externalData } = this.settings
    this.session ??= await InferenceSession.create(this.bytes!, {
      ...{ executionProviders: [device], numThreads, externalData }
    })
    const { inputMetadata } = this.session
    if (inputMetadata.length === 1) return this.session
    const names = inputMetadata.map(({ name }) => `"${name}"`).join(', ')
    throw new CairnError(`the model has ${inputMetadata.length} inputs, ${names}; networks with one can be explained`)
  }

  /** Gives memory and threads back; a session that was given stays open. */
  async release(): Promise<void> {
    await this.queue
    await this.gradients?.release()
    if (this.bytes) await this.session?.release()
    this.gradients = undefined
  }
}

const isSession = (given: unknown): given is InferenceSession =>
  brandOf(given) === 'Object' && typeof (given as InferenceSession).run === 'function'

/** Explains one input and gives everything back; for several inputs of one model an `Explainer` compiles once. */
export async function explain(
  model: Explained,
  input: Tensor,
  options: ExplainerOptions & ExplainOptions = {}
): Promise<Explanation> {
  const explainer = await Explainer.create(model, options)
  try {
    return await explainer.explain(input, options)
  } finally {
    await explainer.release()
  }
}
