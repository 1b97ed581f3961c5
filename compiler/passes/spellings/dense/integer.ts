import type { DType, Node, Value } from '../../../graph/index.js'
import type { Writer } from '../../../infer/index.js'
import { isNothing, quantized } from '../elementwise/quantize.js'
import { along, type Rewrite } from '../rewrite.js'

/** Scales and zero points: one for all, or a vector along an axis. */
function placed(write: Writer, value: Value, axis: number, rank: number): Value {
  if (value.shape.every(size => size === 1)) return write.reshape(value, [])
  return value.rank === 1 ? along(write, value, axis, rank) : value
}

/** x less its zero point. Whole numbers that a layer reads as integers stay whole: no pass scales them. */
function centred(write: Writer, x: Value, zero: Value | undefined, axis: number, dtype: DType): Value {
  const whole = write.add('Cast', [x], { to: dtype })
  if (!zero || isNothing(zero)) return whole
  return write.add('Sub', [whole, write.add('Cast', [placed(write, zero, axis, x.rank)], { to: dtype })])
}

const attributesOf = (node: Node) => Object.fromEntries(node.attributes)

const convolved = (write: Writer, node: Node, x: Value, xZero?: Value, w?: Value, wZero?: Value, bias?: Value): Value =>
  write.add(
    'Conv',
    [
      centred(write, x, xZero, 1, 'int32'),
      centred(write, w!, wZero, 0, 'float32'),
      bias && write.add('Cast', [bias], { to: 'float32' })
    ],
    attributesOf(node)
  )

const multiplied = (write: Writer, a: Value, aZero: Value | undefined, b: Value, bZero: Value | undefined): Value =>
  write.add('MatMul', [centred(write, a, aZero, a.rank - 2, 'int32'), centred(write, b, bZero, b.rank - 1, 'float32')])

const convInteger: Rewrite = (write, node) => {
  const [x, w, xZero, wZero] = node.inputs as [Value, Value, Value?, Value?]
  return convolved(write, node, x, xZero, w, wZero)
}

const matMulInteger: Rewrite = (write, node) => {
  const [a, b, aZero, bZero] = node.inputs as [Value, Value, Value?, Value?]
  return multiplied(write, a, aZero, b, bZero)
}

/** Integer sums at the scale of the output: single precision, rounded as onnxruntime rounds. */
function requantized(write: Writer, sums: Value, scales: readonly Value[], zero: Value): Value {
  const [x, w, y] = scales
  const scale = write.add('Div', [write.add('Mul', [x, w]), y])
  return quantized(write, write.add('Mul', [write.add('Cast', [sums], { to: 'float32' }), scale]), zero, zero.dtype)
}

const qLinearConv: Rewrite = (write, node) => {
  const [x, xScale, xZero, w, wScale, wZero, yScale, yZero, bias] = node.inputs as Value[]
  const scales = [xScale, wScale, yScale].map(scale => placed(write, scale, 1, x.rank))
  return requantized(write, convolved(write, node, x, xZero, w, wZero, bias), scales, placed(write, yZero, 1, x.rank))
}

const qLinearMatMul: Rewrite = (write, node) => {
  const [a, aScale, aZero, b, bScale, bZero, yScale, yZero] = node.inputs as Value[]
  const { rank } = node.output
  const scales = [
    placed(write, aScale, rank - 2, rank),
    placed(write, bScale, rank - 1, rank),
    placed(write, yScale, rank - 2, rank)
  ]
  return requantized(write, multiplied(write, a, aZero, b, bZero), scales, placed(write, yZero, rank - 2, rank))
}

export const integers: Readonly<Record<string, Rewrite>> = {
  ConvInteger: convInteger,
  MatMulInteger: matMulInteger,
  QLinearConv: qLinearConv,
  QLinearMatMul: qLinearMatMul
}
