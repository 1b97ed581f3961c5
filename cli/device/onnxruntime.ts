import type * as Ort from 'onnxruntime-node'
import type { Feeds, Tensor } from '../../runtime/index.js'
import { halvesAsBits, toNumbers } from '../model/index.js'
import { InputError } from '../terminal/index.js'

/** onnxruntime-node as the other side of a comparison; an optional companion, so it is looked for when needed. */
export interface Reference {
  run(feeds: Feeds): Promise<Record<string, Values>>
  release(): Promise<void>
}

export interface Values {
  readonly dims: readonly number[]
  readonly data: Float64Array
}

export interface ReferenceOptions {
  /** Every value as its node computes it: no fusion on the other side either. */
  readonly plain?: boolean
}

/** On processors without VNNI onnxruntime's sums of bytes saturate otherwise; on others this changes nothing. */
const exactSums = { session: { x64quantprecision: '1' } } as const

/** Whether a model names an operator on integers; what makes their sums exact is one of onnxruntime's rewrites. */
const sumsBytes = (model: Uint8Array) => ['Integer', 'QLinear', 'QGemm'].some(op => Buffer.from(model).includes(op))

export async function openReference(model: string | Uint8Array, { plain }: ReferenceOptions = {}): Promise<Reference> {
  const ort = await load()
  const options: Ort.InferenceSession.SessionOptions = {
    logSeverityLevel: 4,
    graphOptimizationLevel: !plain ? 'all' : typeof model !== 'string' && sumsBytes(model) ? 'extended' : 'disabled',
    extra: exactSums
  }
  const step = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw new InputError(`onnxruntime-node refuses: ${(error as Error).message}`)
    }
  }
  const session = await step(() =>
    typeof model === 'string'
      ? ort.InferenceSession.create(model, options)
      : ort.InferenceSession.create(model, options)
  )
  return {
    async run(feeds) {
      const given = Object.entries(feeds).map(([name, { type, data, dims }]) => [
        name,
        new ort.Tensor(type as 'float32', data as Float32Array, dims)
      ])
      const results = await step(() => session.run(Object.fromEntries(given)))
      return Object.fromEntries(session.outputNames.map(name => [name, valuesOf(results[name])]))
    },
    release: () => session.release()
  }
}

export function valuesOf(tensor: Tensor | Ort.Tensor): Values {
  return { dims: tensor.dims, data: toNumbers(tensor as Tensor) }
}

async function load(): Promise<typeof Ort> {
  try {
    const module = await import('onnxruntime-node')
    return halvesAsBits((module.default ?? module) as typeof Ort)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const missing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
    throw new InputError(
      `verify compares with onnxruntime-node, which ${missing ? 'is not installed' : `does not load (${message})`}: npm i onnxruntime-node --ignore-scripts`
    )
  }
}
