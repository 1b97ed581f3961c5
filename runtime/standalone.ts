/**
 * The loader of a model that is a WebAssembly module of its own (`cairn compile -o model.wasm`): it needs nothing else of
 * Cairn, and is under a kilobyte.
 */
import type { StandalonePort } from './file/index.js'

export type { StandalonePort }

type Numbers = ArrayLike<number | bigint>

/** Elements for an input: an array of them, or a tensor that holds one. */
export type StandaloneFeed =
  | Numbers
  | {
      /** The elements in C order. */
      readonly data: Numbers
    }

/** Where a module is from: a response or its promise, bytes, or what an engine has compiled. */
export type StandaloneSource = Response | BufferSource | WebAssembly.Module | PromiseLike<Response>

/** An output of a run, in memory of its own. */
export interface StandaloneResult {
  /** Element type, by onnxruntime's names. */
  readonly type: string
  /** Sizes of the axes. */
  readonly dims: readonly number[]
  /** The elements in C order, those of float16 in single precision. */
  readonly data: ArrayBufferView & ArrayLike<number | bigint>
}

/** A model that is ready to run. */
export interface StandaloneModel {
  /** In the order of the model. */
  readonly inputs: readonly StandalonePort[]
  /** In the order of the model. */
  readonly outputs: readonly StandalonePort[]
  /** What the module exports. */
  readonly exports: {
    /** Where inputs, weights and outputs are. */
    readonly memory: WebAssembly.Memory
    /** One run; 0, or 1 and more where an index was out of range. */
    run(): number
    /** Only of modules that transform weights: does so, before the first run if it has not been called. */
    init?(): void
    /** Only with golden data: 0, or which layer is the first that is off, from 1. */
    check?(): number
  }
  /**
   * Runs once, with the elements of each input by its name, rounded to single precision, whole numbers too. Throws RangeError for another number of elements than an input
   * has, and where an index is out of range.
   */
  run(feeds: Readonly<Record<string, StandaloneFeed>>): Record<string, StandaloneResult>
}

/**
 * The model of a module; as types, those that were written beside it (`instantiate<Model>`). Throws where it is none. Only modules
 * of `--wasi` take `imports`.
 */
export async function instantiate<Model = StandaloneModel>(
  source: StandaloneSource,
  imports?: WebAssembly.Imports
): Promise<Model> {
  const wasm = WebAssembly
  const given = (await source) as Response & ArrayBuffer & WebAssembly.Module
  const module = await (given.headers ? wasm.compileStreaming(given) : given.byteLength ? wasm.compile(given) : given)
  const [section] = wasm.Module.customSections(module, 'cairn')
  if (!section) throw TypeError('cairn: no model')
  const { inputs, outputs, faults } = JSON.parse(new TextDecoder().decode(section))
  const { exports } = (await wasm.instantiate(module, imports)) as unknown as Pick<StandaloneModel, 'exports'>
  const floatsAt = (at: number, length: number) => new Float32Array(exports.memory.buffer, at, length)
  return {
    inputs,
    outputs,
    exports,
    run(feeds: Record<string, Numbers & { readonly data?: Numbers }>) {
      for (const { name, at, length } of inputs) {
        const data = feeds[name]?.data ?? feeds[name]
        if (data?.length !== length) throw RangeError(`cairn: "${name}" takes ${length} elements`)
        floatsAt(at, length).set((data[0] as number)?.toFixed ? (data as ArrayLike<number>) : Array.from(data, Number))
      }
      const fault = exports.run()
      if (fault) throw RangeError(`cairn: ${faults[fault - 1]}`)
      return Object.fromEntries(
        outputs.map(({ name, type, array, at, length, shape, cuts }: StandalonePort) => {
          const dims = [...shape]
          let floats = floatsAt(at, length).slice()
          cuts?.map(([axis, where, inner]) => {
            const [count] = floatsAt(where, 1)
            floats = floats.filter((_, i) => ((i / inner) | 0) % shape[axis] < count)
            dims[axis] = count
          })
          const Elements = (globalThis as unknown as Record<string, new (from: unknown) => StandaloneResult['data']>)[
            array
          ]
          const whole =
            array[0] === 'B' && Array.from(floats, x => (Number.isFinite(x) ? BigInt(Math.round(x)) : 1n << 63n))
          return [name, { type, dims, data: new Elements(whole || floats) }]
        })
      )
    }
  } as Model
}
