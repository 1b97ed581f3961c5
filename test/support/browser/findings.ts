// Outputs as a model may give them, and what the browser page makes of them.
import * as assert from 'uvu/assert'
import type { Random } from '../random.js'
import { PlainImageData, webModule } from './web-module.js'

export interface Output {
  readonly name: string
  readonly type: string
  readonly dims: readonly number[]
  readonly data: Float32Array
}

export interface Box {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
  readonly score: number
  readonly index: number
  readonly points?: readonly { readonly x: number; readonly y: number }[]
}

export interface Finding {
  readonly kind: string
  readonly of: readonly string[]
  readonly labels?: readonly string[]
  readonly caveat?: string
  readonly probabilities?: ArrayLike<number>
  readonly given?: string
  readonly boxes?: readonly Box[]
  readonly points?: readonly { readonly x: number; readonly y: number }[]
  readonly read?: { readonly text: string; readonly score: number }
  readonly classes?: number
  readonly best?: Uint16Array
  readonly values?: Float32Array
  readonly guess?: string
}

Object.assign(globalThis, { ImageData: PlainImageData })
export const { interpret } = await webModule<{ interpret(outputs: readonly Output[], fed: object): Finding[] }>(
  'web/outputs/index.ts'
)

const product = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1)

export function output(
  dims: readonly number[],
  data: readonly number[] | ((i: number) => number),
  name = 'output',
  type = 'float32'
): Output {
  const numbers = typeof data === 'function' ? Float32Array.from({ length: product(dims) }, (_, i) => data(i)) : data
  assert.is(numbers.length, product(dims), 'the test gives as many numbers as the shape has')
  return { name, type, dims, data: Float32Array.from(numbers) }
}

export interface Seen {
  readonly height?: number
  readonly width?: number
  readonly planes?: 0 | 1 | 3
  readonly name?: string
  readonly own?: readonly string[]
  readonly inFile?: readonly string[]
  readonly lists?: readonly (readonly string[])[]
  readonly classifiers?: ReadonlySet<string> | 'all'
}

export function seen({ height = 224, width = 224, planes = 3, ...knowledge }: Seen = {}) {
  return {
    ...{ height, width, planes, channels: 'RGB', batch: 1 },
    knowledge: { name: 'model', lists: [], classifiers: new Set<string>(), ...knowledge }
  }
}

export const only = (outputs: readonly Output[], fed?: Seen): Finding => {
  const findings = interpret(outputs, seen(fed))
  assert.is(findings.length, 1, findings.map(({ kind }) => kind).join())
  return findings[0]
}

export const names = (count: number) => Array.from({ length: count }, (_, i) => `name ${i}`)
export const normalOf = (random: Random) => random.uniform(-1, 1) + random.uniform(-1, 1) + random.uniform(-1, 1)

/** Shares that sum to one. */
export function sharesOf(random: Random, count: number): number[] {
  const powers = Array.from({ length: count }, () => Math.exp(3 * normalOf(random)))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map(power => power / sum)
}

export const transposed = (columns: readonly (readonly number[])[]) =>
  columns[0].map((_, row) => columns.map(column => column[row]))
