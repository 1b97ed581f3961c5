// Exports and settings of onnxruntime-common, each as it is tried.
import type * as Ort from 'onnxruntime-common'
import { type Api, feedsOf, free, having, open, runWith, type Trial, trial } from './kit.js'
import { sessionTrials } from './session-trials.js'
import { tensorTrials } from './tensor-trials.js'

const backend = {
  init: async () => {
    throw new Error('cannot be had')
  },
  createInferenceSessionHandler: async () => {
    throw new Error('cannot be had')
  }
}

const exported: readonly Trial[] = [
  trial('InferenceSession', 'is a class', ({ InferenceSession }) => [
    typeof InferenceSession,
    typeof InferenceSession.create
  ]),
  trial('Tensor', 'is a class', ({ Tensor }) => [typeof Tensor, Tensor.name]),
  trial('env', 'its settings', ({ env }) => ['wasm', 'webgl', 'webgpu', 'versions'].map(key => typeof env[key])),
  trial('registerBackend', 'a backend that fails', async api => {
    api.registerBackend('broken', backend, 0)
    return open(api, { executionProviders: ['broken'] })
  }),
  trial('registerBackend', 'what is no backend', ({ registerBackend }) => registerBackend('none', {} as never, 0)),
  ...(['TRACE', 'TRACE_FUNC_BEGIN', 'TRACE_FUNC_END', 'TRACE_EVENT_BEGIN', 'TRACE_EVENT_END'] as const).map(name =>
    trial(name, 'called', api => api[name]('CPU', 'label'))
  ),
  trial('default', 'the same members', api => [
    ...Object.keys(api.default).filter(name => name !== 'listSupportedBackends'),
    api.default.Tensor === api.Tensor
  ])
]

const inWasm = <K extends keyof Ort.Env.WebAssemblyFlags>(
  key: K,
  value: Ort.Env.WebAssemblyFlags[K],
  differs?: string
) =>
  trial(
    `env.wasm.${key}`,
    `${JSON.stringify(value)}, then a session`,
    api => having(api.env.wasm, { [key]: value }, () => runWith(api, {})),
    differs
  )

const inWebGpu = (key: string, value: unknown) =>
  trial(`env.webgpu.${key}`, `${JSON.stringify(value)}, then a session`, api =>
    having(api.env.webgpu as object, { [key]: value }, () => runWith(api, {}))
  )

const inWebGl = (key: string, value: unknown) =>
  trial(`env.webgl.${key}`, `${JSON.stringify(value)}, then a session`, api =>
    having(api.env.webgl as object, { [key]: value }, () => runWith(api, {}))
  )

const settings: readonly Trial[] = [
  trial('env.logLevel', 'read', ({ env }) => env.logLevel),
  trial('env.logLevel', 'error', ({ env }) => having(env, { logLevel: 'error' }, () => env.logLevel)),
  trial('env.logLevel', 'loud', ({ env }) => having(env, { logLevel: 'loud' as never }, () => env.logLevel)),
  trial('env.debug', 'true, then a session', api => having(api.env, { debug: true }, () => runWith(api, {}))),
  trial('env.trace', 'read', ({ env }) => env.trace),
  trial('env.versions.common', 'read', ({ env }) => env.versions.common),
  trial(
    'env.versions.web',
    'read',
    ({ env }) => env.versions.web,
    'not set: by it clients look for files of onnxruntime-web at a CDN'
  ),
  trial('env.versions.node', 'read', ({ env }) => env.versions.node),
  trial('env.versions.react-native', 'read', ({ env }) => env.versions['react-native']),
  inWasm('numThreads', 2),
  inWasm('numThreads', 0),
  inWasm('numThreads', 64),
  inWasm('simd', true),
  inWasm('simd', 'fixed'),
  inWasm('trace', false),
  inWasm('initTimeout', 1000),
  inWasm('wasmPaths', 'https://cdn.invalid/'),
  inWasm('wasmBinary', new Uint8Array(8)),
  inWasm('proxy', false),
  ...(['contextId', 'matmulMaxBatchSize', 'textureCacheMode', 'pack', 'async'] as const).map((key, i) =>
    inWebGl(key, ['webgl2', 0, 'full', false, false][i])
  ),
  trial('env.webgl.context', 'read', ({ env }) => Object.getOwnPropertyDescriptor(env.webgl, 'context')?.value),
  inWebGpu('profilingMode', 'off'),
  inWebGpu('profiling', { mode: 'off' }),
  inWebGpu('powerPreference', 'low-power'),
  inWebGpu('forceFallbackAdapter', false),
  inWebGpu('validateInputContent', true),
  trial('env.webgpu.adapter', 'read', ({ env }) => env.webgpu.adapter),
  trial('env.webgpu.device', 'read, on the CPU', ({ env }) => typeof env.webgpu.device),
  trial('env', 'a name of the program', ({ env }) => having(env, { mine: 1 }, () => env.mine))
]

const wrong = (api: Api) => ({ ...feedsOf(api), more: new api.Tensor(Float32Array.of(1)) })

export const trials: readonly Trial[] = [
  ...exported,
  ...settings,
  ...sessionTrials,
  trial('InferenceSession#run', 'an input that there is not', async api => (await open(api)).run(wrong(api))),
  trial('InferenceSession#run', 'another size each time', async api => {
    const session = await open(api, {}, free.bytes)
    const one = await session.run(feedsOf(api, free.input))
    const other = await session.run(feedsOf(api, free.input, [2, 3, 5, 2]))
    return [one, other]
  }),
  ...tensorTrials
]
