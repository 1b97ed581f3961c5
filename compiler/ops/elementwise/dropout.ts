import { product } from '../../algebra/index.js'
import { kernel, type Op } from '../op.js'

/**
 * Dropout (Srivastava et al. 2014) as training needs it: elements become 0 with probability `ratio`, the others grow so that the
 * mean stays. Which ones is a hash of their index, of `seed` (a number that changes with every step) and of `salt`, so
 * that a gradient drops the same ones, at any number of threads.
 */
export const dropoutKernel = kernel({
  name: 'dropout',
  fields: { count: 'u32', salt: 'u32', threshold: 'u32', scale: 'f32' },
  buffers: { x: 'read', seed: 'read', y: 'write' },
  reference(p, { x, seed, y }) {
    for (let i = 0; i < p.count; i++) y[i] = hash(i, seed[0], p.salt) < p.threshold ? 0 : x[i] * p.scale
  }
})

/**
 * Bits of the finaliser of MurmurHash3 (Appleby 2011), a time for each of seed, salt and index: seeds and salts are small numbers, of
 * which many pairs have the same exclusive or. 31 bits, so that a block's u32 field holds the threshold.
 */
function hash(index: number, seed: number, salt: number): number {
  return finalise(Math.imul(index, 0x9e3779b9) ^ finalise(finalise(seed) ^ salt)) >>> 1
}

function finalise(bits: number): number {
  const a = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  const b = Math.imul(a ^ (a >>> 13), 0xc2b2ae35)
  return b ^ (b >>> 16)
}

/** Inputs: what is thinned out, and the seed. */
const randomDropout: Op = {
  required: 2,
  infer(node) {
    node.output.dtype = node.inputs[0]!.dtype
    node.output.shape = node.inputs[0]!.shape
  },
  layout: 'plain',
  writesDense: true,
  lower(node, to) {
    const ratio = node.number('ratio', 0.5)
    to.call(
      dropoutKernel,
      {
        count: product(node.output.shape),
        salt: node.number('salt', 0),
        threshold: Math.round(ratio * 2 ** 31),
        scale: ratio < 1 ? 1 / (1 - ratio) : 0
      },
      { x: to.dense(node.inputs[0]!), seed: to.view(node.inputs[1]!), y: to.view(node.output) }
    )
  }
}

export const dropouts: Record<string, Op> = { RandomDropout: randomDropout }
