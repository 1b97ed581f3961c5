import { add, type Dim, div, mul, same, showShape } from '../algebra/index.js'
import { refuse } from '../errors.js'
import type { Node, Value } from '../graph/index.js'
import type { Writer } from './writer.js'

/** Attention of onnxruntime's (its ContribOperators.md), without a cache: softmax(q kᵀ scale + mask) v for each head. */

interface Heads {
  /** Batch × heads × positions × size. */
  readonly q: Value
  readonly k: Value
  readonly v: Value
}

function headsOf(node: Node): number {
  const heads = node.number('num_heads', 0)
  if (!(heads >= 1)) throw refuse(node, `num_heads is ${heads}; at least 1 is allowed`)
  return heads
}

/** Batch × positions × width to batch × heads × positions × size. */
function split(write: Writer, node: Node, x: Value, heads: number): Value {
  const [batch, positions, width] = x.shape
  if (x.rank !== 3) throw refuse(node, `takes three axes (batch, positions, width), not ${showShape(x.shape)}`)
  if (typeof width === 'number' && width % heads) throw refuse(node, `width ${width} does not divide by ${heads} heads`)
  const apart = write.reshape(x, [batch, positions, heads, div(width, heads)])
  return write.add('Transpose', [apart], { perm: [0, 2, 1, 3] })
}

/** The part of an axis from one place to another. */
function part(write: Writer, x: Value, axis: number, from: Dim, to: Dim): Value {
  return write.add('Slice', [x, write.sizes([from]), write.sizes([to]), write.sizes([axis])])
}

/** A number of the mask's at the places that are not looked at, 0 at the others. */
function added(write: Writer, isOut: Value, value: number): Value {
  return write.add('Mul', [write.add('Cast', [isOut], { to: 'float32' }), write.scalar(value)])
}

/**
 * What a mask adds to the scores of batch × heads × queries × keys: it has a 0 for each key (or query and key) that is not looked
 * at, or says how many keys there are.
 */
function maskOf(write: Writer, node: Node, mask: Value, batch: Dim, keys: Dim, value: number): Value {
  const isOut = (kept: Value) => write.add('Equal', [write.add('Cast', [kept], { to: 'float32' }), write.scalar(0)])
  const [first, second] = mask.shape
  if (mask.rank === 1 && same(first, batch)) {
    if (typeof keys !== 'number') throw refuse(node, 'has a mask of lengths; a fixed number of keys is allowed with it')
    const positions = write.graph.constant(
      write.graph.unique(node.name),
      Float32Array.from({ length: keys }, (_, i) => i),
      [1, 1, 1, keys]
    )
    const lengths = write.reshape(write.add('Cast', [mask], { to: 'float32' }), [batch, 1, 1, 1])
    return added(write, write.add('GreaterOrEqual', [positions, lengths]), value)
  }
  if (mask.rank === 2 && same(second, keys)) return added(write, write.reshape(isOut(mask), [first, 1, 1, keys]), value)
  if (mask.rank === 3) return added(write, write.add('Unsqueeze', [isOut(mask)], { axes: [1] }), value)
  throw refuse(
    node,
    `mask "${mask.name}" is ${showShape(mask.shape)}; one number for each key, or a length, is allowed`
  )
}

/** Of queries in order: none looks at keys behind its own. */
function ahead(write: Writer, node: Node, queries: Dim, keys: Dim): Value {
  if (typeof queries !== 'number' || typeof keys !== 'number')
    throw refuse(node, 'is unidirectional; a fixed number of positions is allowed with it')
  const data = Float32Array.from({ length: queries * keys }, (_, i) =>
    (i % keys) - (keys - queries) > Math.floor(i / keys) ? lowest : 0
  )
  return write.graph.constant(write.graph.unique(node.name), data, [1, 1, queries, keys])
}

const lowest = -3.4028234663852886e38

function attended(write: Writer, node: Node, { q, k, v }: Heads, masks: readonly (Value | undefined)[]): Value {
  const [batch, heads, queries, size] = q.shape
  const given = node.number('scale', 0)
  if (typeof size !== 'number' && !given) throw refuse(node, 'has heads of a free size; a scale is needed then')
  const scale = given || 1 / Math.sqrt(size as number)
  const turned = write.add('Transpose', [k], { perm: [0, 1, 3, 2] })
  let scores = write.add('Mul', [write.add('MatMul', [q, turned]), write.scalar(scale)])
  for (const mask of masks) if (mask) scores = write.add('Add', [scores, mask])
  if (node.number('unidirectional', 0)) scores = write.add('Add', [scores, ahead(write, node, queries, k.shape[2])])
  const weights = write.add('Softmax', [scores], { axis: 3 })
  const joined = write.add('Transpose', [write.add('MatMul', [weights, v])], { perm: [0, 2, 1, 3] })
  return write.reshape(joined, [batch, queries, mul(heads, v.shape[3])])
}

/** Other inputs than those named, and other attributes, ask for what is not here. */
function refuseRest(node: Node, from: number, allowed: string): void {
  const at = node.inputs.findIndex((input, i) => i >= from && input)
  if (at >= 0) throw refuse(node, `input ${at} "${node.inputs[at]!.name}" is not supported; ${allowed} are`)
  for (const name of ['do_rotary', 'past_present_share_buffer'])
    if (node.number(name, 0)) throw refuse(node, `${name} is not supported`)
}

/** Queries, keys and values are one product of the input. */
export function attention(write: Writer, node: Node): Value[] {
  const [x, weights, bias, mask, past, extra] = node.inputs
  if (past) throw refuse(node, `past "${past.name}" is not supported: there is no cache`)
  refuseRest(node, 6, 'input, weights, bias, mask and attention bias')
  const heads = headsOf(node)
  const product = write.add('MatMul', [x, weights])
  const all = bias ? write.add('Add', [product, bias]) : product
  const width = all.shape[2]
  const given = node.list('qkv_hidden_sizes')
  const sizes: readonly Dim[] = given?.length === 3 ? given : [div(width, 3), div(width, 3), div(width, 3)]
  let from: Dim = 0
  const [q, k, v] = sizes.map(size => {
    const to: Dim = add(from, size)
    const own = split(write, node, part(write, all, 2, from, to), heads)
    from = to
    return own
  })
  const [batch, keys] = x!.shape
  const value = node.number('mask_filter_value', -10000)
  const masks = [extra, mask && maskOf(write, node, mask, batch, keys, value)]
  return [attended(write, node, { q, k, v }, masks)]
}

/** Queries, keys and values come apart, or packed into one: batch × positions × heads × 3 × size. */
export function multiHeadAttention(write: Writer, node: Node): Value[] {
  const [query, key, value, bias, mask, extra] = node.inputs
  refuseRest(node, 6, 'query, key, value, bias, key mask and attention bias')
  const heads = headsOf(node)
  const given = unpacked(write, node, query!, key, value, heads)
  const widths = given.map(({ rank, shape }) => (rank === 4 ? mul(shape[1], shape[3]) : shape[2]))
  let from: Dim = 0
  const [q, k, v] = given.map((x, i) => {
    const to: Dim = add(from, widths[i])
    const own = bias && x.rank === 3 ? write.add('Add', [x, part(write, bias, 0, from, to)]) : x
    from = to
    return own.rank === 4 ? own : split(write, node, own, heads)
  })
  const filter = node.number('mask_filter_value', -10000)
  const masks = [extra, mask && maskOf(write, node, mask, q.shape[0], k.shape[2], filter)]
  return [attended(write, node, { q, k, v }, masks)]
}

function unpacked(write: Writer, node: Node, q: Value, k: Value | undefined, v: Value | undefined, heads: number) {
  const parts = (x: Value, count: number) => {
    const [batch, positions, , , size] = x.shape
    return Array.from({ length: count }, (_, i) =>
      write.reshape(part(write, x, 3, i, i + 1), [batch, positions, mul(heads, size)])
    )
  }
  if (q.rank === 5 && !k && !v) return parts(q, 3)
  if (k?.rank === 5 && !v) return [q, ...parts(k, 2)]
  if (!k || !v) throw refuse(node, 'key and value are missing, and not packed into another input')
  return [q, k, v]
}
