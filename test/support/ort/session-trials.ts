// Sessions and their options, each as it is tried.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type * as Ort from 'onnxruntime-common'
import { type Api, feedsOf, fixed, free, open, runWith, type Trial, trial } from './kit.js'

type Options = Ort.InferenceSession.SessionOptions
type RunOptions = Ort.InferenceSession.RunOptions

const option = (name: keyof Options, value: unknown, differs?: string) =>
  trial(`SessionOptions.${name}`, JSON.stringify(value), api => runWith(api, { [name]: value } as Options), differs)

const runOption = (name: keyof RunOptions, value: unknown) =>
  trial(`RunOptions.${name}`, JSON.stringify(value), api => runWith(api, {}, { [name]: value } as RunOptions))

const passedOver =
  'passed over with a warning, as onnxruntime does where it has other providers; the session runs on the CPU'

const metadata = (name: 'inputMetadata' | 'outputMetadata', differs?: string) => [
  trial(`InferenceSession#${name}`, 'of fixed sizes', async api => (await open(api))[name]),
  trial(`InferenceSession#${name}`, 'of free sizes', async api => (await open(api, {}, free.bytes))[name], differs)
]

const profiled = async (api: Api) => {
  const session = await open(api)
  session.startProfiling()
  const results = await session.run(feedsOf(api))
  session.endProfiling()
  return results
}

const buffer = () => Uint8Array.of(0, 0, ...fixed.bytes, 0).buffer

const creating: readonly Trial[] = [
  trial('InferenceSession.create', 'a Uint8Array', async api => (await open(api)).run(feedsOf(api))),
  trial('InferenceSession.create', 'an ArrayBuffer', async api => {
    const session = await api.InferenceSession.create(fixed.bytes.slice().buffer)
    return session.run(feedsOf(api))
  }),
  trial('InferenceSession.create', 'a SharedArrayBuffer', async api => {
    const shared = new SharedArrayBuffer(fixed.bytes.length)
    new Uint8Array(shared).set(fixed.bytes)
    return (await api.InferenceSession.create(shared)).run(feedsOf(api))
  }),
  trial('InferenceSession.create', 'a part of a buffer, and options', async api => {
    const session = await api.InferenceSession.create(buffer(), 2, fixed.bytes.length, {
      graphOptimizationLevel: 'all'
    })
    return session.run(feedsOf(api))
  }),
  trial('InferenceSession.create', 'a part beyond the buffer', api => api.InferenceSession.create(buffer(), 1e6)),
  trial('InferenceSession.create', 'a path', api => api.InferenceSession.create('/nowhere/model.onnx')),
  trial('InferenceSession.create', 'a number', api => api.InferenceSession.create(1 as never)),
  trial('InferenceSession.create', 'bytes of no model', api => api.InferenceSession.create(new Uint8Array(100).fill(7)))
]

const running: readonly Trial[] = [
  trial('InferenceSession#inputNames', 'read', async api => (await open(api)).inputNames),
  trial('InferenceSession#outputNames', 'read', async api => (await open(api)).outputNames),
  ...metadata('inputMetadata'),
  ...metadata(
    'outputMetadata',
    'sizes that the model leaves open have the names that inference finds, where onnxruntime has 4294967295'
  ),
  trial('InferenceSession#run', 'all outputs', async api => (await open(api)).run(feedsOf(api))),
  trial('InferenceSession#run', 'one output by name', async api => (await open(api)).run(feedsOf(api), [fixed.output])),
  trial('InferenceSession#run', 'null for an output', async api =>
    (await open(api)).run(feedsOf(api), { [fixed.output]: null })
  ),
  trial(
    'InferenceSession#run',
    'a tensor allocated for an output',
    async api => {
      const given = new api.Tensor('float32', new Float32Array(80), [1, 4, 5, 4])
      const { data } = given
      const results = await (await open(api)).run(feedsOf(api), { [fixed.output]: given })
      return [results[fixed.output] === given, given.data === data, data]
    },
    'filled, as by onnxruntime-node; onnxruntime-web gives it back as it was'
  ),
  trial('InferenceSession#run', 'one allocated too small', async api =>
    (await open(api)).run(feedsOf(api), { [fixed.output]: new api.Tensor('float32', new Float32Array(8), [8]) })
  ),
  trial('InferenceSession#run', 'options in the second place', async api =>
    (await open(api)).run(feedsOf(api), { tag: 'a' })
  ),
  trial('InferenceSession#run', 'an output that there is not', async api =>
    (await open(api)).run(feedsOf(api), ['other'])
  ),
  trial('InferenceSession#run', 'no inputs', async api => (await open(api)).run({})),
  trial('InferenceSession#run', 'a tensor instead of inputs', async api =>
    (await open(api)).run(feedsOf(api)[fixed.input] as never)
  ),
  trial('InferenceSession#run', 'another element type', async api =>
    (await open(api)).run({ [fixed.input]: new api.Tensor('int32', new Int32Array(60), [1, 3, 5, 4]) })
  ),
  trial('InferenceSession#run', 'other sizes', async api =>
    (await open(api)).run(feedsOf(api, fixed.input, [1, 3, 4, 5]))
  ),
  trial('InferenceSession#run', 'strings', async api =>
    (await open(api)).run({ [fixed.input]: new api.Tensor('string', ['a'], [1]) })
  ),
  trial('InferenceSession#run', 'at the same time', async api => {
    const session = await open(api)
    return Promise.all([session.run(feedsOf(api)), session.run(feedsOf(api))])
  }),
  trial('InferenceSession#release', 'then a run', async api => {
    const session = await open(api)
    await session.release()
    return session.run(feedsOf(api))
  }),
  trial('InferenceSession#startProfiling', 'around a run', profiled),
  trial('InferenceSession#endProfiling', 'around a run', profiled)
]

const profiling = trial('SessionOptions.enableProfiling', 'true, then endProfiling', async api => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-profile-'))
  try {
    const session = await open(api, { enableProfiling: true, profileFilePrefix: join(folder, 'profile') })
    const results = await session.run(feedsOf(api))
    session.endProfiling()
    return results
  } finally {
    rmSync(folder, { recursive: true })
  }
})

const options: readonly Trial[] = [
  option('executionProviders', ['wasm']),
  option('executionProviders', ['cpu']),
  option('executionProviders', []),
  option('executionProviders', [{ name: 'wasm' }]),
  option('executionProviders', ['cuda', 'coreml', 'wasm']),
  option('executionProviders', ['webgpu', 'wasm']),
  option('executionProviders', ['webnn', 'wasm']),
  option('executionProviders', ['webgl', 'wasm']),
  option('executionProviders', ['cuda'], passedOver),
  option('executionProviders', ['webgl'], passedOver),
  option('executionProviders', ['nonsense']),
  option('intraOpNumThreads', 2),
  option('interOpNumThreads', 2),
  option('freeDimensionOverrides', { N: 1 }),
  option('freeDimensionOverrides', { N: -1 }),
  trial('SessionOptions.freeDimensionOverrides', 'of free sizes', async api => {
    const session = await open(api, { freeDimensionOverrides: { N: 1, H: 5, W: 4 } }, free.bytes)
    return [session.inputMetadata, await session.run(feedsOf(api, free.input))]
  }),
  trial('SessionOptions.freeDimensionOverrides', 'then another size', async api => {
    const session = await open(api, { freeDimensionOverrides: { H: 5, W: 4 } }, free.bytes)
    return session.run(feedsOf(api, free.input, [1, 3, 4, 5]))
  }),
  ...(['disabled', 'basic', 'extended', 'layout', 'all', 'most'] as const).map(level =>
    option('graphOptimizationLevel', level)
  ),
  option('enableCpuMemArena', false),
  option('enableMemPattern', false),
  option('executionMode', 'sequential'),
  option('executionMode', 'parallel'),
  option('executionMode', 'other'),
  option('profileFilePrefix', 'profile'),
  profiling,
  option(
    'optimizedModelFilePath',
    '/nowhere/model.onnx',
    'passed over: nothing is written, where onnxruntime-web fails in Node'
  ),
  option('logId', 'mine'),
  option('logSeverityLevel', 3),
  option('logSeverityLevel', 7),
  option('logVerbosityLevel', 0),
  option('logVerbosityLevel', 9),
  option('preferredOutputLocation', 'cpu'),
  option('preferredOutputLocation', { [fixed.output]: 'cpu' }),
  option('preferredOutputLocation', 'nowhere', 'refused, as by those builds of onnxruntime-web that have WebGPU'),
  option('enableGraphCapture', false),
  option('extra', { session: { disable_prepacking: '1' } }),
  option('externalData', []),
  runOption('logSeverityLevel', 3),
  runOption('logVerbosityLevel', 0),
  runOption('terminate', false),
  runOption('terminate', true),
  runOption('tag', 'mine'),
  runOption('extra', { memory: { enable_memory_arena_shrinkage: '' } })
]

export const sessionTrials: readonly Trial[] = [...creating, ...running, ...options]
