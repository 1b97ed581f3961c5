// The mean and variance that each channel of a tensor is expected to have, followed from layer to layer as in the
// derivations of Glorot and Bengio (2010, section 4.2) and He et al. (2015, section 2.2), but with the actual weights.
// A random network has no trained running statistics; these stand in for them, so that its batch normalisations do
// keep activations near unit variance.

export interface Moments {
  mean: Float64Array
  variance: Float64Array
}

function each(input: Moments, f: (mean: number, variance: number, channel: number) => [number, number]): Moments {
  const result = { mean: new Float64Array(input.mean.length), variance: new Float64Array(input.mean.length) }
  input.mean.forEach((mean, i) => {
    ;[result.mean[i], result.variance[i]] = f(mean, input.variance[i], i)
  })
  return result
}

export function constant(channels: number, mean: number, variance: number): Moments {
  return each({ mean: new Float64Array(channels), variance: new Float64Array(channels) }, () => [mean, variance])
}

/** The mean square over all channels from `first` on. */
export function power({ mean, variance }: Moments, first = 0, count = mean.length): number {
  let sum = 0
  for (let i = first; i < first + count; i++) sum += mean[i] ** 2 + variance[i]
  return sum / count
}

export interface WeightLayout {
  outputs: number
  groups: number
  /** Weights for one pair of an output and an input channel. */
  area: number
  /** The share of them that meets an element of the input. */
  share: number
  /** Input channels first, as transposed convolution has it. */
  transposed?: boolean
}

/** Weighted sums of independent elements. */
export function weighted(input: Moments, weights: Float32Array, bias: Float32Array, layout: WeightLayout): Moments {
  const { outputs, groups, area, share, transposed } = layout
  const inputs = input.mean.length / groups
  const [outputStep, inputStep] = transposed ? [area, outputs * area] : [inputs * area, area]
  return each(constant(outputs, 0, 0), (_mean, _variance, o) => {
    const first = Math.floor((o * groups) / outputs) * inputs
    let mean = 0
    let variance = 0
    for (let i = 0; i < inputs; i++) {
      const offset = o * outputStep + i * inputStep
      let sum = 0
      let squares = 0
      for (let k = offset; k < offset + area; k++) {
        sum += weights[k]
        squares += weights[k] * weights[k]
      }
      mean += sum * input.mean[first + i]
      variance += squares * (input.variance[first + i] + (1 - share) * input.mean[first + i] ** 2)
    }
    return [mean * share + (bias[o] ?? 0), variance * share]
  })
}

/** scale * x + shift, each per channel. */
export function affine(input: Moments, scale: ArrayLike<number>, shift: ArrayLike<number>): Moments {
  return each(input, (mean, variance, i) => [scale[i] * mean + shift[i], scale[i] ** 2 * variance])
}

/** f(x) of a Gaussian x, by the midpoint rule over 4 deviations to each side. */
export function mapped(input: Moments, f: (x: number) => number): Moments {
  return each(input, (mean, variance) => {
    const deviation = Math.sqrt(variance)
    let [total, sum, squares] = [0, 0, 0]
    for (let t = -3.9; t < 4; t += 0.2) {
      const density = Math.exp((-t * t) / 2)
      const y = f(mean + t * deviation)
      total += density
      sum += density * y
      squares += density * y * y
    }
    return [sum / total, Math.max(squares / total - (sum / total) ** 2, 0)]
  })
}

/** The maximum of `count` neighbours: a rough fit to independent rectified Gaussians, less for their correlation. */
export function maximum(input: Moments, count: number): Moments {
  return each(input, (mean, variance) => [mean + 0.7 * Math.log(count) * Math.sqrt(variance), variance])
}

/** The average of `count` neighbours, halfway between independent and equal ones. */
export function averaged(input: Moments, count: number): Moments {
  return each(input, (mean, variance) => [mean, variance / Math.sqrt(count)])
}

export function sum(a: Moments, b: Moments): Moments {
  return each(a, (mean, variance, i) => [mean + b.mean[i], variance + b.variance[i]])
}

export function product(a: Moments, b: Moments): Moments {
  return each(a, (mean, variance, i) => [
    mean * b.mean[i],
    variance * (b.variance[i] + b.mean[i] ** 2) + mean ** 2 * b.variance[i]
  ])
}

/** Channel `i` of the result is channel `channels[i]` of the input; -1 is one of zeros. */
export function select(input: Moments, channels: number[]): Moments {
  const result = constant(channels.length, 0, 0)
  return each(result, (_mean, _variance, i) => [input.mean[channels[i]] ?? 0, input.variance[channels[i]] ?? 0])
}

export function concatenated(parts: Moments[]): Moments {
  return {
    mean: Float64Array.from(parts.flatMap(part => [...part.mean])),
    variance: Float64Array.from(parts.flatMap(part => [...part.variance]))
  }
}

/** Every group of channels brought to zero mean and unit variance. */
export function groupNormalised(input: Moments, groups: number): Moments {
  const size = input.mean.length / groups
  return each(input, (mean, variance, i) => {
    const first = Math.floor(i / size) * size
    const center = input.mean.subarray(first, first + size).reduce((sum, value) => sum + value, 0) / size
    const spread = power(input, first, size) - center ** 2
    return [(mean - center) / Math.sqrt(spread), variance / spread]
  })
}

/** The average share of a kernel's taps that fall inside an axis of `size` elements rather than into its padding. */
export function coverage(size: number, out: number, kernel: number, stride: number, dilation: number, pad: number) {
  if (Number.isNaN(size)) return 1
  let inside = 0
  for (let o = 0; o < out; o++) {
    for (let k = 0; k < kernel; k++) {
      const i = o * stride - pad + k * dilation
      if (i >= 0 && i < size) inside++
    }
  }
  return inside / (out * kernel)
}
