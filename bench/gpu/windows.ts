/** One axis of a convolution or pool: which input positions its windows take in. */
export interface Axis {
  readonly in: number
  readonly out: number
  readonly kernel: number
  readonly stride: number
  readonly dilation: number
  readonly pad: number
}

export function axisOf([size, out, kernel, stride, dilation, pad]: readonly number[]): Axis {
  return { in: size, out, kernel, stride, dilation, pad }
}

function* positions({ in: size, out, kernel, stride, dilation, pad }: Axis): Generator<number> {
  for (let o = 0; o < out; o++)
    for (let k = 0; k < kernel; k++) {
      const at = o * stride + k * dilation - pad
      if (at >= 0 && at < size) yield at
    }
}

/** Pairs of an output and a kernel position whose input is no padding. */
export const inside = (axis: Axis): number => [...positions(axis)].length

/** Different inputs among them. */
export const touched = (axis: Axis): number => new Set(positions(axis)).size

/** The same of a transposed convolution, where an output sees the inputs whose stride lands on it. */
export function landing(axis: Axis): { readonly pairs: number; readonly positions: number } {
  const { in: size, out, kernel, stride, dilation, pad } = axis
  const seen = new Set<number>()
  let pairs = 0
  for (let o = 0; o < out; o++)
    for (let k = 0; k < kernel; k++) {
      const at = o + pad - k * dilation
      if (at % stride === 0 && at >= 0 && at / stride < size) {
        pairs++
        seen.add(at / stride)
      }
    }
  return { pairs, positions: seen.size }
}
