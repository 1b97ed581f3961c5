import { product } from '../../../algebra/index.js'
import { isConstant } from '../../../graph/index.js'
import { framesOf, transformOf, waves } from '../../../ops/index.js'
import type { Rewrite } from '../rewrite.js'

/** A product with a matrix of waves along the axis, which goes behind the others for it. */
export const dft: Rewrite = (write, node) => {
  const x = node.inputs[0]!
  const transform = transformOf(node)
  const { axis, samples, parts, bins } = transform
  const last = x.rank - 1
  const others = x.shape.map((_, a) => a).filter(a => a !== axis && a !== last)
  const order = [...others, axis, last]
  const [starts, ends, axes] = [0, samples, axis].map(number => write.sizes([number]))
  const taken = samples === x.shape[axis] ? x : write.add('Slice', [x, starts, ends, axes])
  const moved = write.add('Transpose', [taken], { perm: order })
  const sizes = others.map(a => x.shape[a])
  const rows = write.reshape(moved, [product(sizes), samples * parts])
  const matrix = write.graph.constant(write.graph.unique(node.name), waves(transform), [samples * parts, bins * 2])
  const spectra = write.reshape(write.add('Gemm', [rows, matrix]), [...sizes, bins, 2])
  return write.add('Transpose', [spectra], { perm: order.map((_, a) => order.indexOf(a)) })
}

/** A convolution with waves, windowed, as filters: two for each frequency. */
export const stft: Rewrite = (write, node) => {
  const [x, , window] = node.inputs
  const transform = framesOf(node)
  const { samples, parts, bins, step, frames } = transform
  const matrix = waves(transform)
  const [filters, weight] = [bins * 2, isConstant(window) ? window.data : undefined]
  const kernel = new Float32Array(matrix.length)
  for (let t = 0; t < samples; t++)
    for (let part = 0; part < parts; part++)
      for (let f = 0; f < filters; f++)
        kernel[(f * parts + part) * samples + t] = matrix[(t * parts + part) * filters + f] * (weight?.[t] ?? 1)
  let weights = write.graph.constant(write.graph.unique(node.name), kernel, [filters, parts, samples])
  if (window && !weight) weights = write.add('Mul', [weights, write.reshape(window, [1, 1, samples])])
  const signal = write.add('Transpose', [x], { perm: [0, 2, 1] })
  const spectra = write.add('Conv', [signal, weights], { strides: [step] })
  const apart = write.reshape(spectra, [x!.shape[0], bins, 2, frames])
  return write.add('Transpose', [apart], { perm: [0, 3, 1, 2] })
}
