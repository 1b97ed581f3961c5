import type * as Ort from 'onnxruntime-node'
import { fromHalves, toHalves } from '../../runtime/base/index.js'

/**
 * Makes onnxruntime-node hold float16 as bits. Where the host has Float16Array (Node 24) its tensors use that, which
 * its native binding cannot read; which array it takes is settled when it makes its first tensor.
 */
export function halvesAsBits<T extends Pick<typeof Ort, 'Tensor'>>(ort: T): T {
  const own = Object.getOwnPropertyDescriptor(globalThis, 'Float16Array')
  if (!own) return ort
  Reflect.deleteProperty(globalThis, 'Float16Array')
  new ort.Tensor('float16', new Uint16Array(1), [1])
  Object.defineProperty(globalThis, 'Float16Array', own)
  return ort
}

/** The halves that are nearest, as bits; where the host has them by itself, in a fraction of the time. */
export function halfBits(values: Float32Array): Uint16Array<ArrayBuffer> {
  const Halves: Float16ArrayConstructor | undefined = globalThis.Float16Array
  return Halves ? new Uint16Array(new Halves(values).buffer) : toHalves(values)
}

/** The numbers of half precision that are nearest. */
export function nearestHalves(values: Float32Array): Float32Array<ArrayBuffer> {
  return fromHalves(toHalves(values))
}
