import { type Graph, isConstant, type Node, type Value } from '../../compiler/graph/index.js'
import { Writer } from '../../compiler/infer/index.js'
import { windows } from '../../compiler/ops/index.js'

/** Binary digits of the numbers that are drawn. */
const digits = 16

/** Salts of the layers' draws, behind those of every dropout. */
const firstSalt = 2 ** 20

/** A weighted pooling, as `stochasticPool` of the zoo writes it: the means of squares over the means, which are at least something. */
interface Weighted {
  readonly node: Node
  readonly x: Value
  readonly pool: Node
}

/** Pooling whose elements count by their share of the window. */
function weightedIn(node: Node): Weighted | undefined {
  if (node.op !== 'Div') return undefined
  const [squares, bounded] = node.inputs.map(input => input?.producer)
  const [mean, bound] = bounded?.inputs ?? []
  const [pool, square] = [mean?.producer, squares?.inputs[0]?.producer]
  const isWeighted =
    squares?.op === 'AveragePool' &&
    bounded?.op === 'Max' &&
    isConstant(bound) &&
    pool?.op === 'AveragePool' &&
    square?.op === 'Mul' &&
    square.inputs.every(input => input === pool.inputs[0]) &&
    !pool.number('ceil_mode', 0) &&
    (pool.list('pads') ?? []).every(pad => pad === 0)
  return isWeighted ? { node, x: pool.inputs[0]!, pool } : undefined
}

/**
 * Stochastic pooling (Zeiler and Fergus 2013, equations 4 and 5) in the place of its weighted form: of each window one element is
 * drawn, with a probability in proportion to it, anew in every step; the gradient goes to that one.
 */
export function drawPools(graph: Graph, seed: Value): void {
  const found = graph.nodes.flatMap(node => weightedIn(node) ?? [])
  for (const [layer, { node, x, pool }] of found.entries()) {
    const write = new Writer(graph, node.name, node)
    const parts = windowed(write, x, pool)
    const sums = [write.add('Mul', [parts[0], write.scalar(0)])]
    for (const part of parts) sums.push(write.add('Add', [sums.at(-1)!, part]))
    const drawn = write.add('Mul', [uniform(write, sums[0], seed, firstSalt + layer * digits), sums.at(-1)!])
    const chosen = parts.map((part, i) => {
      const isBehind = write.add('GreaterOrEqual', [drawn, sums[i]])
      const isHere = write.add('And', [isBehind, write.add('Less', [drawn, sums[i + 1]])])
      return write.add('Where', [isHere, part, sums[0]])
    })
    const result = chosen.reduce((sum, each) => write.add('Add', [sum, each]))
    graph.bypass(node, result)
  }
}

/** Elements of all windows, one value for each place in them. */
function windowed(write: Writer, x: Value, pool: Node): Value[] {
  const kernel = pool.list('kernel_shape')!
  const { out, strides } = windows(pool, x.shape.slice(2), kernel)
  const offsets = Array.from({ length: kernel[0] * kernel[1] }, (_, i) => [Math.floor(i / kernel[1]), i % kernel[1]])
  const axes = write.sizes([2, 3])
  return offsets.map(offset => {
    const ends = offset.map((begin, axis) => begin + ((out[axis] as number) - 1) * strides[axis] + 1)
    return write.add('Slice', [x, write.sizes(offset), write.sizes(ends), axes, write.sizes([...strides])])
  })
}

/** Numbers from 0 to below 1 in the shape of `zeros`: each binary digit is a dropout of one half. */
function uniform(write: Writer, zeros: Value, seed: Value, salt: number): Value {
  const half = write.add('Add', [zeros, write.scalar(0.5)])
  const bits = Array.from({ length: digits }, (_, i) => {
    const bit = write.add('RandomDropout', [half, seed], { ratio: 0.5, salt: salt + i })
    return write.add('Mul', [bit, write.scalar(2 ** -(i + 1))])
  })
  return bits.reduce((sum, bit) => write.add('Add', [sum, bit]))
}
