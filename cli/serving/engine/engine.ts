import { checkInference, metadataOf, type Repository, type Served } from '../models/index.js'
import type { Asked, Result, Task } from '../pool/index.js'
import { type Inference, invalid, ServingError, servingError, type Wire } from '../protocol/index.js'
import type { Carrier, Metrics, Traces } from '../telemetry/index.js'

export interface EngineOptions {
  /** Cairn's own. */
  readonly version: string
  /** Rows of one request at most. */
  readonly maxRows: number
  /** Milliseconds that a request may take that says nothing else, and the most that one may ask for. */
  readonly timeout: number
}

/** Who asks, and how the answer is counted. */
export interface Caller {
  readonly protocol: 'http' | 'grpc' | 'picture'
  readonly carrier: Carrier
  readonly signal?: AbortSignal
}

export interface Inferred {
  readonly model: string
  readonly version: string
  readonly outputs: Readonly<Record<string, Wire>>
}

/** What both protocols offer, without either. */
export class Engine {
  private isDraining = false

  constructor(
    readonly repository: Repository,
    private readonly options: EngineOptions,
    readonly metrics: Metrics,
    private readonly traces: Traces
  ) {}

  get isReady(): boolean {
    return !this.isDraining && this.repository.isReady
  }

  get isEnding(): boolean {
    return this.isDraining
  }

  /** From here on it is not ready; requests that come all the same are answered. */
  drain(): void {
    this.isDraining = true
  }

  server() {
    return { name: 'cairn', version: this.options.version, extensions: ['binary_tensor_data', 'model_repository'] }
  }

  model(name: string, version?: string) {
    const { header } = this.repository.find(name, version)
    return {
      name,
      versions: this.repository.versionsOf(name),
      platform: 'cairn',
      inputs: header.inputs.map(metadataOf),
      outputs: header.outputs.map(metadataOf)
    }
  }

  /** Whether it answers; throws ServingError `missing` for what there is none of. */
  isModelReady(name: string, version?: string): boolean {
    try {
      return Boolean(this.repository.find(name, version))
    } catch (error) {
      if (servingError(error).fault === 'missing') throw error
      return false
    }
  }

  async infer(name: string, version: string | undefined, asked: Inference, caller: Caller): Promise<Inferred> {
    const { served, result } = await this.counted(name, version, caller, asked.timeout, served => {
      checkInference(served, asked, this.options.maxRows)
      return { kind: 'tensors', inputs: asked.inputs, fetches: asked.outputs }
    })
    return { model: name, version: served.version, outputs: ordered(result.outputs, served, asked.outputs) }
  }

  /** The best classes of a picture. */
  async classify(
    name: string,
    version: string | undefined,
    bytes: Uint8Array,
    asked: Omit<Extract<Task, { kind: 'classify' }>, 'kind'>,
    caller: Caller
  ) {
    const { served, result } = await this.counted(name, version, caller, undefined, () => ({
      kind: 'picture',
      name: 'the picture',
      bytes,
      task: { kind: 'classify', ...asked }
    }))
    const classes = result.value && 'classes' in result.value ? result.value.classes : []
    return { model_name: name, model_version: served.version, classes }
  }

  private async counted(
    name: string,
    version: string | undefined,
    caller: Caller,
    timeout: number | undefined,
    ask: (served: Served) => Asked
  ): Promise<{ served: Served; result: Result }> {
    const began = performance.now()
    const { protocol } = caller
    // What nobody serves is not a label: clients would choose how many there are.
    let model = ''
    try {
      const done = await this.traces.span(`infer ${name.slice(0, 100)}`, caller.carrier, async note => {
        const served = this.repository.find(name, version)
        model = name
        note({ 'cairn.model': name, 'cairn.version': served.version, 'cairn.protocol': protocol })
        const deadline = began + Math.min(timeout ?? this.options.timeout, this.options.timeout)
        const result = await served.lane.ask(ask(served), deadline, caller.signal)
        note({ 'cairn.queue_seconds': result.waited, 'cairn.compute_seconds': result.computed })
        return { served, result }
      })
      this.metrics.answered({ model, protocol, code: 'ok' }, (performance.now() - began) / 1000)
      return done
    } catch (error) {
      const known = servingError(error)
      this.metrics.answered({ model, protocol, code: known.fault }, (performance.now() - began) / 1000)
      throw known
    }
  }

  /** Loads what lies in the repository, or what the request brings as `file:VERSION/NAME` in base64. */
  async load(name: string, parameters: Readonly<Record<string, unknown>>): Promise<void> {
    const files = new Map<string, () => Uint8Array>()
    for (const [key, value] of Object.entries(parameters)) {
      const [, version] = /^file:([1-9]\d{0,17})\/model\.(?:onnx|cairn)$/.exec(key) ?? []
      if (version === undefined)
        throw invalid(`parameter ${JSON.stringify(key).slice(0, 80)}: file:VERSION/model.onnx or .cairn is allowed`)
      // One after the other, as they are loaded.
      files.set(version, () => bytesIn(value, key))
    }
    if (!files.size) return this.repository.load(name)
    if (!/^[\w.-]{1,100}$/.test(name)) throw invalid('a name of up to 100 letters, digits, dots and dashes is allowed')
    await this.repository.upload(name, files)
  }
}

function bytesIn(value: unknown, key: string): Uint8Array {
  if (value instanceof Uint8Array) return value
  if (typeof value !== 'string' || !/^[\w+/-]*={0,2}$/.test(value))
    throw invalid(`parameter "${key}" is a file in base64`)
  return Buffer.from(value, 'base64')
}

/** In the order in which they were asked for, else the model's. */
function ordered(
  outputs: Readonly<Record<string, Wire>>,
  { header }: Served,
  asked: readonly string[] | undefined
): Record<string, Wire> {
  const names = asked ?? header.outputs.map(({ name }) => name)
  const missing = names.find(name => !outputs[name])
  if (missing !== undefined) throw new ServingError('internal', `output "${missing}" has not come`)
  return Object.fromEntries(names.map(name => [name, outputs[name]]))
}
