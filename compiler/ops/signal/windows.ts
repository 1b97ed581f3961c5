import { refuse } from '../../errors.js'
import { type DType, largestFolded, type Node } from '../../graph/index.js'
import { knownNumber } from '../branch.js'
import type { Op } from '../op.js'

/** Windows and filter banks of audio, which are constants. */

function knownInput(node: Node, index: number, what: string): number {
  const known = knownNumber(node.inputs[index])
  if (known === undefined || !Number.isFinite(known))
    throw refuse(node, `${what} "${node.inputs[index]?.name}" must be known when compiling`)
  return known
}

function fill(node: Node, shape: readonly number[], data: Float32Array): void {
  const { output } = node
  output.shape = shape
  output.dtype = node.text('output_datatype', 'float32') as DType
  output.data = output.dtype === 'float32' || output.dtype === 'float16' ? data : Float64Array.from(data, Math.trunc)
}

/** A window of `size` elements, a sum of cosines of multiples of the turn; periodic ones leave the last element out. */
const window = (...factors: readonly number[]): Op => ({
  infer(node) {
    const size = knownInput(node, 0, 'size')
    if (!(Number.isInteger(size) && size >= 0 && size <= largestFolded))
      throw refuse(node, `size is ${size}; whole numbers from 0 to ${largestFolded} are allowed`)
    const turn = node.number('periodic', 1) ? size : size - 1
    const at = (i: number) =>
      factors.reduce((sum, factor, k) => sum + factor * Math.cos((2 * Math.PI * k * i) / turn), 0)
    fill(
      node,
      [size],
      Float32Array.from({ length: size }, (_, i) => at(i))
    )
  }
})

/** Triangles over the bins of a spectrum, evenly spaced in mels (ONNX operator text). */
const melWeightMatrix: Op = {
  required: 5,
  infer(node) {
    const names = ['num_mel_bins', 'dft_length', 'sample_rate', 'lower_edge_hertz', 'upper_edge_hertz']
    const [mels, length, rate, low, high] = names.map((name, i) => knownInput(node, i, name))
    const bins = Math.floor(length / 2) + 1
    if (!(mels > 0 && length > 0 && rate > 0 && low >= 0 && high >= low && bins * mels <= largestFolded))
      throw refuse(node, `has ${names.map((name, i) => `${name} ${[mels, length, rate, low, high][i]}`).join(', ')}`)
    const toMel = (hertz: number) => 2595 * Math.log10(1 + hertz / 700)
    const step = (toMel(high) - toMel(low)) / (mels + 2)
    const edges = Array.from({ length: mels + 2 }, (_, i) => {
      const hertz = 700 * (10 ** ((toMel(low) + i * step) / 2595) - 1)
      return Math.floor(((length + 1) * hertz) / rate)
    })
    const data = new Float32Array(bins * mels)
    const set = (bin: number, mel: number, value: number) => {
      if (bin < bins) data[bin * mels + mel] = value
    }
    for (let mel = 0; mel < mels; mel++) {
      const [lower, centre, upper] = edges.slice(mel, mel + 3)
      if (lower === centre) set(centre, mel, 1)
      else for (let bin = lower; bin <= centre; bin++) set(bin, mel, (bin - lower) / (centre - lower))
      for (let bin = centre; bin < upper; bin++) set(bin, mel, (upper - bin) / (upper - centre))
    }
    fill(node, [bins, mels], data)
  }
}

export const audioConstants: Record<string, Op> = {
  HannWindow: window(0.5, -0.5),
  HammingWindow: window(25 / 46, -21 / 46),
  BlackmanWindow: window(0.42, -0.5, 0.08),
  MelWeightMatrix: melWeightMatrix
}
