import { halfToFloat } from '../../runtime/base/index.js'

/** Elements as doubles, whatever their type; onnxruntime's float16 arrays (Float16Array on newer hosts) too. */
export function toNumbers({ type, data }: { type: string; data: ArrayLike<number> | ArrayLike<bigint> }): Float64Array {
  const bits = type === 'float16' && (data as { constructor: unknown }).constructor === Uint16Array
  return bits
    ? Float64Array.from(data as Uint16Array, halfToFloat)
    : Float64Array.from(data as ArrayLike<number>, Number)
}
