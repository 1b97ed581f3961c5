import { isStatic, product } from '../../algebra/index.js'
import { type DType, type Graph, isConstant, type Node, type Value } from '../../graph/index.js'
import { Writer } from '../../infer/index.js'
import { linears, longestSum, scaleOf } from '../../ops/index.js'
import { count, type Pass } from '../pass.js'
import { moving } from './movements.js'

/**
 * Gives quantised layers one spelling: float operators between DequantizeLinear and QuantizeLinear. Operators on integers become
 * that, and so does what only moves integers or takes their maximum. Integers that come from elsewhere, or go there, are quantised
 * with scale 1.
 */
export const spellQuantised: Pass = {
  name: 'spell-quantised',
  run(graph) {
    let spelled = 0
    for (const node of [...graph.nodes]) {
      const write = new Writer(graph, node.name, node)
      if (node.op === 'DequantizeLinear') dequantised(write, node)
      if (node.op === 'QuantizeLinear') quantised(graph, node)
      const value = linear(write, node) ?? summed(write, node) ?? moved(write, node)
      if (!value) continue
      graph.bypass(node, value)
      if (value.producer?.op === 'QuantizeLinear') quantised(graph, value.producer)
      spelled++
    }
    return count(spelled, 'node')
  }
}

/** Scale 1 and the zero point at which integers are what they are. */
function plain({ graph }: Writer, dtype: DType): Value[] {
  const zero = graph.constant(graph.unique('zero'), new Float32Array(1), [], dtype)
  return [graph.constant(graph.unique('one'), Float32Array.of(1), []), zero]
}

/** The QuantizeLinear behind integers, which may have been told what they are. */
function quantizeOf(x: Value | undefined): Node | undefined {
  const node = x?.producer
  if (node?.op === 'QuantizeLinear') return scaleOf(node) && node
  const back = node?.op === 'Cast' ? node.inputs[0]!.producer : undefined
  const quantize = back?.op === 'DequantizeLinear' ? back.inputs[0]!.producer : undefined
  return quantize?.op === 'QuantizeLinear' && quantize.output.dtype === x!.dtype ? quantize : undefined
}

/** Integers as a QuantizeLinear gives them. */
function bytesOf(write: Writer, x: Value): Value {
  const known = quantizeOf(x)
  if (known) return known.output
  const isByte = x.dtype === 'uint8' || x.dtype === 'int8'
  if (isConstant(x) || !isByte) return x
  const floats = write.add('Cast', [x], { to: 'float32' })
  return write.add('QuantizeLinear', [floats, ...plain(write, x.dtype)])
}

function dequantised(write: Writer, node: Node): void {
  const [x] = node.inputs
  if (scaleOf(node)) write.graph.setInput(node, 0, bytesOf(write, x!))
}

/** Who reads integers as they are is given them back. */
function quantised(graph: Graph, node: Node): void {
  const { output } = node
  if (!scaleOf(node) || isConstant(node.inputs[0])) return
  const others = output.users.filter(({ op }) => op !== 'DequantizeLinear')
  if (!others.length && !graph.isOutput(output)) return
  const next = graph.nodes[graph.nodes.indexOf(node) + 1]
  const write = new Writer(graph, node.name, next)
  const floats = write.add('DequantizeLinear', [output, ...plain(write, output.dtype)])
  const whole = write.add('Cast', [floats], { to: output.dtype, whole: 1 })
  graph.replace(output, whole)
  for (const user of new Set(whole.users)) if (user.op === 'DequantizeLinear') graph.setInput(user, 0, output)
  graph.setInput(floats.producer!, 0, output)
}

/** ONNX's own keep exact sums where their scales are not known (spellings/dense/integer.ts). */
function linear(write: Writer, node: Node): Value | undefined {
  const spelling = linears[node.op]
  if (!spelling) return undefined
  const { inputs } = node
  const operands = spelling.operands(node)
  const known = [...operands.flatMap(at => [inputs[at + 1], inputs[at + 2]]), ...spelling.output.map(at => inputs[at])]
  if (!node.op.includes(':') && !known.every(value => !value || isConstant(value))) return undefined
  const isLayer = spelling.op === 'Conv' || spelling.op === 'Gemm' || spelling.op === 'MatMul'
  const floats = operands.map((at, i) =>
    write.add('DequantizeLinear', [bytesOf(write, inputs[at]!), inputs[at + 1], inputs[at + 2]], {
      axis: axisFor(spelling.op, node, i)
    })
  )
  const bias = spelling.bias === undefined ? undefined : inputs[spelling.bias]
  if (bias && isLayer) {
    const [x, w] = operands.map(at => inputs[at + 1]!)
    floats.push(write.add('DequantizeLinear', [bias, scaledBy(write, x, w)], { axis: 0 }))
  }
  const [scale, zero] = spelling.output.map(at => inputs[at])
  const result = write.add(spelling.op, floats, Object.fromEntries(node.attributes))
  return scale ? write.add('QuantizeLinear', [result, scale, zero]) : result
}

/** Sums by constant weights of 8 bits about their zero points, of bytes whose zero point may be known to a run alone. */
function summed(write: Writer, node: Node): Value | undefined {
  const isConv = node.op === 'ConvInteger'
  if (!isConv && node.op !== 'MatMulInteger') return undefined
  const [x, weights, xZero, wZero] = node.inputs as [Value, Value, Value?, Value?]
  const isByte = x.dtype === 'uint8' || x.dtype === 'int8'
  if (!isByte || isConstant(x) || (xZero && !xZero.shape.every(size => size === 1))) return undefined
  const w = wholeWeights(write, weights, wZero, isConv ? 0 : 1)
  if (!w || (!isConv && (w.rank !== 2 || x.rank < 2))) return undefined
  const attributes = Object.fromEntries(node.attributes)
  if (isConv) return write.add('Conv32', [bytesOf(write, x), w, xZero], attributes)
  if (x.rank === 2) return write.add('Gemm32', [bytesOf(write, x), w, xZero])
  const rows = write.reshape(x, [product(x.shape.slice(0, -1)), w.shape[0]])
  return write.reshape(write.add('Gemm32', [bytesOf(write, rows), w, xZero]), node.output.shape)
}

/** Constant weights less their zero points, one for all or one for each index of `axis`, where that is from -128 to 127. */
function wholeWeights({ graph }: Writer, w: Value, zero: Value | undefined, axis: number): Value | undefined {
  if (!isConstant(w) || (zero && !isConstant(zero)) || !isStatic(w.shape)) return undefined
  const zeros = zero?.data ?? new Float32Array(1)
  const filters = w.shape[axis] as number
  if (zeros.length !== 1 && (zeros.length !== filters || zero!.rank !== 1)) return undefined
  const within = (w.shape.slice(axis + 1) as number[]).reduce((a, b) => a * b, 1)
  const data = Float32Array.from(w.data, (each, i) =>
    zeros.length > 1 ? each - zeros[Math.floor(i / within) % filters] : each - zeros[0]
  )
  if (data.length / filters > longestSum || !data.every(each => each >= -128 && each <= 127)) return undefined
  return graph.constant(graph.unique(w.name), data, w.shape as number[], 'int8')
}

/** The scale of sums of products, of single numbers or one for each filter. */
function scaledBy(write: Writer, x: Value, w: Value): Value {
  if (!isConstant(x) || !isConstant(w) || x.data.length !== 1) return write.add('Mul', [x, w])
  const { graph } = write
  const data = Float32Array.from(w.data, scale => scale * x.data[0])
  return graph.constant(graph.unique(w.name), data, w.shape as number[])
}

/** The axis along which an operand's scales lie, where it has several. */
function axisFor(op: string, node: Node, operand: number): number {
  if (op === 'Conv') return operand ? 0 : 1
  if (op === 'Gemm') return operand && node.number('transB', 0) ? 0 : 1
  return operand ? -1 : -2
}

const sameScale = new Set([...moving, 'MaxPool'])

/** A movement of what a QuantizeLinear gives, with the same scale. */
function moved(write: Writer, node: Node): Value | undefined {
  const [x, ...others] = node.inputs
  const quantize = sameScale.has(node.op) && node.outputs.length === 1 ? quantizeOf(x) : undefined
  if (!quantize) return undefined
  const parameters = quantize.inputs.slice(1)
  const floats = write.add('DequantizeLinear', [quantize.output, ...parameters])
  const result = write.add(node.op, [floats, ...others], Object.fromEntries(node.attributes))
  return write.add('QuantizeLinear', [result, ...parameters])
}
