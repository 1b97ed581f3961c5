import { isConstant, type Node, type Value } from '../../graph/index.js'
import { Writer } from '../../infer/index.js'
import { linears, scaleOf } from '../../ops/index.js'
import { count, type Pass } from '../pass.js'

/**
 * Gives quantised layers one spelling: float operators between DequantizeLinear and QuantizeLinear. Operators on integers become
 * that, and so does what only moves integers or takes their maximum.
 */
export const spellQuantised: Pass = {
  name: 'spell-quantised',
  run(graph) {
    let spelled = 0
    for (const node of [...graph.nodes]) {
      const write = new Writer(graph, node.name, node)
      const value = linear(write, node) ?? moved(write, node)
      if (!value) continue
      graph.bypass(node, value)
      spelled++
    }
    return count(spelled, 'node')
  }
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
    write.add('DequantizeLinear', [inputs[at], inputs[at + 1], inputs[at + 2]], { axis: axisFor(spelling.op, node, i) })
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

const moving = new Set(['Flatten', 'Identity', 'MaxPool', 'Reshape', 'Slice', 'Squeeze', 'Transpose', 'Unsqueeze'])

/** A movement of what a QuantizeLinear gives, with the same scale. */
function moved(write: Writer, node: Node): Value | undefined {
  const [x, ...others] = node.inputs
  const quantize = x?.producer
  if (!moving.has(node.op) || quantize?.op !== 'QuantizeLinear' || node.outputs.length > 1) return undefined
  if (!scaleOf(quantize)) return undefined
  const parameters = quantize.inputs.slice(1)
  const floats = write.add('DequantizeLinear', [x, ...parameters])
  const result = write.add(node.op, [floats, ...others], Object.fromEntries(node.attributes))
  return write.add('QuantizeLinear', [result, ...parameters])
}
