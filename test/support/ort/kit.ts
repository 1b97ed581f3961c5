// What the members of onnxruntime's API are tried with, on onnxruntime-web and on the stand-in alike.
import type * as Ort from 'onnxruntime-common'
import { ModelBuilder } from '../onnx/model.js'
import { Random } from '../random.js'

export type Api = typeof Ort & { readonly default: typeof Ort }

/** One member, or one way to use it. */
export interface Trial {
  /** As documents name it. */
  readonly member: string
  /** What is done with it, in a few words. */
  readonly tried: string
  body(api: Api): unknown
  /** Why the two may differ, where they do. */
  readonly differs?: string
}

export const trial = (member: string, tried: string, body: Trial['body'], differs?: string): Trial => ({
  member,
  tried,
  body,
  differs
})

const random = new Random('members')

function modelOf(dims: readonly (number | string)[]): { bytes: Uint8Array; input: string; output: string } {
  const m = new ModelBuilder(random)
  const x = m.input(dims)
  const y = m.add('Relu', [m.add('Conv', [x, m.weights([4, 3, 3, 3])], { pads: [1, 1, 1, 1] })])
  m.output(y, m.add('GlobalAveragePool', [y]))
  const bytes = m.encode()
  return { bytes, input: x, output: y }
}

export const fixed = modelOf([1, 3, 5, 4])
export const free = modelOf(['N', 3, 'H', 'W'])

const values = Float32Array.from({ length: 60 }, (_, i) => Math.sin(i))

export const feedsOf = (api: Api, name = fixed.input, dims = [1, 3, 5, 4]): Record<string, Ort.Tensor> => ({
  [name]: new api.Tensor('float32', values, dims)
})

export const open = (api: Api, options?: Ort.InferenceSession.SessionOptions, model = fixed.bytes) =>
  api.InferenceSession.create(model, options)

/** Makes a session of the options, runs it, and gives its outputs. */
export async function runWith(
  api: Api,
  options: Ort.InferenceSession.SessionOptions,
  runOptions: Ort.InferenceSession.RunOptions = {}
): Promise<unknown> {
  const session = await open(api, options)
  try {
    return await session.run(feedsOf(api), runOptions)
  } finally {
    await session.release()
  }
}

/** Sets something for as long as `body` takes. */
export async function having<T extends object>(target: T, changes: Partial<T>, body: () => unknown): Promise<unknown> {
  const before = Object.fromEntries(Object.keys(changes).map(key => [key, target[key as keyof T]]))
  Object.assign(target, changes)
  try {
    return await body()
  } finally {
    Object.assign(target, before)
  }
}

/** A value as plain data that is the same for what users could not tell apart. */
export function shown(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return 'function'
  if (ArrayBuffer.isView(value)) return [value.constructor.name, ...Array.from(value as never, shown)]
  if (Array.isArray(value)) return value.map(shown)
  if (value === null || typeof value !== 'object') return value
  if ('dataLocation' in value && 'dims' in value) {
    const { type, dims, location, data, size } = value as unknown as Ort.Tensor
    return { type, dims: [...dims], location, data: shown(data), size }
  }
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shown(each)]))
}

/** What a trial comes to: its value, or that it is refused. */
export async function outcomeOf({ body }: Trial, api: Api): Promise<string> {
  try {
    return String(JSON.stringify(shown(await body(api))))
  } catch (error) {
    return error instanceof Error ? 'refused' : `throws ${typeof error}`
  }
}

/** Whether two outcomes are the same; numbers within rounding. */
export function same(one: string, other: string): boolean {
  const number = /-?\d+(?:\.\d+)?(?:e[-+]?\d+)?/g
  if (one.replace(number, '0') !== other.replace(number, '0')) return false
  const [some, others] = [one, other].map(text => [...text.matchAll(number)].map(([match]) => Number(match)))
  return some.every((value, i) => Math.abs(value - others[i]) <= 1e-4 * Math.max(1, Math.abs(value)))
}
