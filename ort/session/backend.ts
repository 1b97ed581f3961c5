import type { Backend, InferenceSession as Ort } from 'onnxruntime-common'
import type { Declared } from '../../compiler/onnx/index.js'
import { decodeHeader, freeName, type Given, magic, show } from '../../runtime/file/index.js'
import { InferenceSession } from '../../runtime/index.js'
import { openCache } from '../compile/cache.js'
import { compiled } from '../compile/compiled.js'
import type { OnnxRuntime } from '../types.js'
import { externalFiles } from './external.js'
import { Handler } from './handler.js'
import { type Compile, LateModel } from './model.js'
import { modelBytes } from './model-bytes.js'
import { wantedOf } from './options.js'
import { handOn, settingsOf, settle } from './settings.js'

/** Cairn as onnxruntime-common knows backends, by the name that it has had until version 1.16 as well. */
export interface CairnBackend extends Backend {
  createSessionHandler: Backend['createInferenceSessionHandler']
}

/** Cairn as a backend of one instance of onnxruntime-common. */
export function backendOf({ env, Tensor }: Pick<OnnxRuntime, 'env' | 'Tensor'>): CairnBackend {
  const createInferenceSessionHandler = async (given: string | Uint8Array, options: Ort.SessionOptions = {}) => {
    const { session: own, sizes, log, profile } = wantedOf(options, env)
    handOn(env)
    const settings = settingsOf(env)
    const cache = await openCache(settings.cache)
    const model = await modelBytes(given, cache)
    const finish = async (file: Given, ports: Declared) => {
      const session = await InferenceSession.create(file, own)
      const [first] = own.executionProviders as { name: string }[]
      if (session.device !== first.name)
        log.warn(`the session runs on "${session.device}", because "${first.name}" is not available here`)
      return new Handler(session, ports, Tensor, profile)
    }
    const bytes = model.digest ? undefined : await model.bytes()
    if (bytes && isCairn(bytes)) return finish(bytes, portsOf(bytes))
    const job = {
      sizes,
      externals: await externalFiles(options.externalData),
      place: typeof given === 'string' ? placeOf(given) : undefined,
      mayWait: true
    }
    const compile: Compile = (asked, open) =>
      compiled(model, { ...job, ...asked }, cache, settings, open, text => log.note(text))
    const made = await compile({}, finish)
    if (made instanceof Handler) return made
    return new Handler(new LateModel(compile, own, made, log), made.ports, Tensor, profile)
  }
  return {
    init: async () => settle(env),
    createInferenceSessionHandler,
    createSessionHandler: createInferenceSessionHandler
  }
}

const isCairn = (bytes: Uint8Array) =>
  bytes.length >= 4 && new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) === magic

/** A path, or an absolute URL that a worker can read too; none of what has no neighbours. */
function placeOf(given: string): string | undefined {
  if (/^(data|blob):/.test(given)) return undefined
  return globalThis.location?.href ? new URL(given, globalThis.location.href).href : given
}

/** Inputs and outputs of a .cairn file as a model declares them. */
function portsOf(bytes: Uint8Array): Declared {
  const { inputs, outputs } = decodeHeader(bytes)
  const declared = (ports: typeof inputs) =>
    ports.map(({ name, dtype, shape }) => ({
      name,
      dtype,
      shape: shape.map(dim => (typeof dim === 'number' ? { size: dim } : { name: freeName(dim) ?? show(dim) }))
    }))
  return { inputs: declared(inputs), outputs: declared(outputs), settings: [] }
}
