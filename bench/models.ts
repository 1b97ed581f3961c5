import * as ort from 'onnxruntime-web'
import { compile } from '../compiler/index.js'
import { zoo } from '../models/index.js'
import { InferenceSession, Tensor } from '../runtime/index.js'

/**
 * Whole networks against onnxruntime-web's WebAssembly backend: one thread each, interleaved in one process, outputs
 * compared first. Prints medians, the quartiles of the ratio, and the time to load. Arguments are names of the zoo.
 */
const given = process.argv.slice(2)
const names = given.length ? given : Object.keys(zoo)
const seconds = Number(process.env.CAIRN_BENCH_SECONDS ?? 4)

ort.env.wasm.numThreads = 1
ort.env.logLevel = 'error'

const median = (values: readonly number[]) => quantile(values, 0.5)

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(Math.floor(q * sorted.length), sorted.length - 1)]
}

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const start = performance.now()
  const result = await work()
  return [result, performance.now() - start]
}

function relativeError(own: Float32Array, peer: Float32Array): number {
  let error = 0
  let largest = 0
  for (let i = 0; i < peer.length; i++) {
    error = Math.max(error, Math.abs(own[i] - peer[i]))
    largest = Math.max(largest, Math.abs(peer[i]))
  }
  return error / largest
}

async function compare(name: string): Promise<void> {
  const model = zoo[name].build()
  const file = await compile(model)
  const [own, ownLoad] = await timed(() => InferenceSession.create(file))
  const [peer, peerLoad] = await timed(() => ort.InferenceSession.create(model, { executionProviders: ['wasm'] }))
  const { name: input, shape } = own.inputMetadata[0]
  const dims = shape.map((size, axis) => (typeof size === 'number' ? size : axis === 0 ? 1 : 256))
  const data = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => Math.random() * 2 - 1)
  const runOwn = () => own.run({ [input]: new Tensor('float32', data, dims) })
  const runPeer = () => peer.run({ [input]: new ort.Tensor('float32', data, dims) })
  const output = own.outputNames[0]
  const error = relativeError(
    (await runOwn())[output].data as Float32Array,
    (await runPeer())[output].data as Float32Array
  )
  if (!(error < 1e-4)) throw new Error(`${name}: outputs differ by ${error} of their maximum`)

  const times: [number, number][] = []
  const end = performance.now() + seconds * 1000
  while (times.length < 5 || (performance.now() < end && times.length < 200)) {
    const [, a] = await timed(runOwn)
    const [, b] = await timed(runPeer)
    times.push([a, b])
  }
  const ratios = times.map(([a, b]) => b / a)
  console.log(
    [
      name.padEnd(20),
      median(times.map(t => t[0]))
        .toFixed(2)
        .padStart(9),
      median(times.map(t => t[1]))
        .toFixed(2)
        .padStart(9),
      median(ratios).toFixed(2).padStart(7),
      `${quantile(ratios, 0.25).toFixed(2)}-${quantile(ratios, 0.75).toFixed(2)}`.padStart(12),
      ownLoad.toFixed(0).padStart(8),
      peerLoad.toFixed(0).padStart(8),
      error.toExponential(0).padStart(8)
    ].join('')
  )
  await own.release()
  await peer.release()
}

console.log('network                 cairn       ort   ratio   quartiles    load ort-load   error    (ms)')
for (const name of names) await compare(name)
