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

/** Input lines that blocks of so many neighbouring outputs load, each block every one of its own once. */
export function linesOf({ in: size, out, kernel, stride, dilation, pad }: Axis, together: number): number {
  let lines = 0
  for (let first = 0; first < out; first += together) {
    const seen = new Set<number>()
    // A block at the end makes outputs that nobody wants.
    for (let o = first; o < first + together; o++)
      for (let k = 0; k < kernel; k++) seen.add(o * stride + k * dilation - pad)
    lines += [...seen].filter(at => at >= 0 && at < size).length
  }
  return lines
}

/** Input positions between the first and the last that blocks of so many neighbouring outputs see, gaps included. */
export function spanned({ in: size, out, kernel, stride, dilation, pad }: Axis, together: number): number {
  let positions = 0
  for (let first = 0; first < out; first += together) {
    const begin = first * stride - pad
    const end = begin + (together - 1) * stride + (kernel - 1) * dilation + 1
    positions += Math.max(Math.min(end, size) - Math.max(begin, 0), 0)
  }
  return positions
}

/** Input columns that blocks of four neighbouring outputs load (shaders/conv/windows.wgsl): with gaps in a window, for each anew. */
export function columnsOf({ in: size, out, kernel, stride, dilation, pad }: Axis): number {
  const shift = dilation === 1 ? stride : kernel
  let columns = 0
  for (let first = 0; first < out; first += 4)
    for (let phase = 0; phase < Math.min(shift, kernel); phase++) {
      const steps = Math.ceil((kernel - phase) / shift)
      for (let i = 0; i < 3 + steps; i++) {
        const at = (first + i) * stride + phase * dilation - pad
        if (at >= 0 && at < size) columns++
      }
    }
  return columns
}
