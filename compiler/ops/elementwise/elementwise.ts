import { same } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import { type DType, dtypes, isConstant, type Node, type Value } from '../../graph/index.js'
import { alignedAxis, broadcastShape } from '../broadcast.js'
import { broadcastStrides, fields, kernel, type Lowering, loopsOver, numbered, type Op, type View } from '../op.js'
import { loopDepth, visit } from '../visit.js'
import { type ActivationName, activate, kindOf } from './activation.js'
import { emitLookup } from './lookup.js'

/** y = activation(x), over any strides: also the copy that every layout change and materialisation is. */
export const unaryKernel = kernel({
  name: 'unary',
  fields: {
    ...fields('d', loopDepth),
    ...fields('x', loopDepth, 'i32'),
    ...fields('y', loopDepth, 'i32'),
    act: 'u32',
    alpha: 'f32',
    beta: 'f32'
  },
  buffers: { x: 'read', y: 'write' },
  reference(p, { x, y }) {
    // A reversing slice steps backwards, to before the view's own beginning.
    const memory = new Float64Array(x.buffer)
    const base = x.byteOffset / 8
    visit([p.d0, p.d1, p.d2, p.d3, p.d4, p.d5], i => {
      const from = i[0] * p.x0 + i[1] * p.x1 + i[2] * p.x2 + i[3] * p.x3 + i[4] * p.x4 + i[5] * p.x5
      const to = i[0] * p.y0 + i[1] * p.y1 + i[2] * p.y2 + i[3] * p.y3 + i[4] * p.y4 + i[5] * p.y5
      y[to] = activate(p.act, memory[base + from], p.alpha, p.beta)
    })
  }
})

/** The number of 32 bits that a negative result has, or any other: signed and unsigned integers are carried alike. */
const ofSign = (negative: boolean, bits: number) => (negative ? bits | 0 : bits >>> 0)

/** The position in this list is the kernel's `kind`; comparisons give 1 or 0. */
export const binaries = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  // As C has it; JavaScript has NaN for these.
  pow: (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b),
  max: (a, b) => Math.max(a, b),
  min: (a, b) => Math.min(a, b),
  equal: (a, b) => Number(a === b),
  greater: (a, b) => Number(a > b),
  less: (a, b) => Number(a < b),
  greaterOrEqual: (a, b) => Number(a >= b),
  lessOrEqual: (a, b) => Number(a <= b),
  and: (a, b) => Number(a !== 0 && b !== 0),
  or: (a, b) => Number(a !== 0 || b !== 0),
  xor: (a, b) => Number((a !== 0) !== (b !== 0)),
  prelu: (a, b) => (a < 0 ? a * b : a),
  mod: (a, b) => a - b * Math.floor(a / b),
  remainder: (a, b) => a % b,
  bitAnd: (a, b) => ofSign(a < 0 && b < 0, a & b),
  bitOr: (a, b) => ofSign(a < 0 || b < 0, a | b),
  bitXor: (a, b) => ofSign(a < 0 !== b < 0, a ^ b),
  scaleByPower: (a, b) => (Math.abs(b) < 64 ? a * 2 ** b : 0)
} satisfies Record<string, (a: number, b: number) => number>

export type BinaryName = keyof typeof binaries

/** y = activation(a op b) with broadcasting by zero strides. */
export const binaryKernel = kernel({
  name: 'binary',
  fields: {
    ...fields('d', loopDepth),
    ...fields('a', loopDepth, 'i32'),
    ...fields('b', loopDepth, 'i32'),
    ...fields('y', loopDepth, 'i32'),
    kind: 'u32',
    act: 'u32',
    alpha: 'f32',
    beta: 'f32'
  },
  buffers: { a: 'read', b: 'read', y: 'write' },
  reference(p, { a, b, y }) {
    const compute = Object.values(binaries)[p.kind]
    visit([p.d0, p.d1, p.d2, p.d3, p.d4, p.d5], i => {
      const ia = i[0] * p.a0 + i[1] * p.a1 + i[2] * p.a2 + i[3] * p.a3 + i[4] * p.a4 + i[5] * p.a5
      const ib = i[0] * p.b0 + i[1] * p.b1 + i[2] * p.b2 + i[3] * p.b3 + i[4] * p.b4 + i[5] * p.b5
      const iy = i[0] * p.y0 + i[1] * p.y1 + i[2] * p.y2 + i[3] * p.y3 + i[4] * p.y4 + i[5] * p.y5
      y[iy] = activate(p.act, compute(a[ia], b[ib]), p.alpha, p.beta)
    })
  }
})

/** y = c ? a : b with broadcasting by zero strides. */
export const whereKernel = kernel({
  name: 'where',
  fields: {
    ...fields('d', loopDepth),
    ...fields('c', loopDepth, 'i32'),
    ...fields('a', loopDepth, 'i32'),
    ...fields('b', loopDepth, 'i32'),
    ...fields('y', loopDepth, 'i32')
  },
  buffers: { c: 'read', a: 'read', b: 'read', y: 'write' },
  reference(p, { c, a, b, y }) {
    visit([p.d0, p.d1, p.d2, p.d3, p.d4, p.d5], i => {
      const ic = i[0] * p.c0 + i[1] * p.c1 + i[2] * p.c2 + i[3] * p.c3 + i[4] * p.c4 + i[5] * p.c5
      const ia = i[0] * p.a0 + i[1] * p.a1 + i[2] * p.a2 + i[3] * p.a3 + i[4] * p.a4 + i[5] * p.a5
      const ib = i[0] * p.b0 + i[1] * p.b1 + i[2] * p.b2 + i[3] * p.b3 + i[4] * p.b4 + i[5] * p.b5
      const iy = i[0] * p.y0 + i[1] * p.y1 + i[2] * p.y2 + i[3] * p.y3 + i[4] * p.y4 + i[5] * p.y5
      y[iy] = c[ic] !== 0 ? a[ia] : b[ib]
    })
  }
})

export interface Epilogue {
  readonly act: number
  readonly alpha: number
  readonly beta: number
}

/** The activation that a pass has fused into `node`, identity without one. */
export function epilogueOf(node: Node): Epilogue {
  return {
    act: kindOf(node.text('act', 'identity') as ActivationName),
    alpha: node.number('alpha', 0),
    beta: node.number('beta', 0)
  }
}

/** Emits y = activation(x) between two views of one shape; the plain copy by default. */
export function emitCopy(to: Lowering, node: Node, x: View, y: View, epilogue?: Epilogue): void {
  if (x.narrow) {
    emitLookup(to, node, x, y)
    return
  }
  const loops = loopsOver(y.shape, y.order, [broadcastStrides(x, y.shape), y.strides], loopDepth)
  if (!loops) throw refuse(node, `needs more than ${loopDepth} nested loops to visit its output`)
  const { act, alpha, beta } = epilogue ?? { act: 0, alpha: 0, beta: 0 }
  to.call(
    unaryKernel,
    {
      ...numbered('d', loops.sizes),
      ...numbered('x', loops.strides[0]),
      ...numbered('y', loops.strides[1]),
      act,
      alpha,
      beta
    },
    { x, y }
  )
}

export const sameView = (a: View, b: View) => a.space === b.space && a.index === b.index && same(a.offset, b.offset)

/** Copies to the output unless the placement has already made it a view of the input. */
export function copyUnless(node: Node, to: Lowering, from: View, output: Value): void {
  const y = to.view(output)
  if (!sameView(from, y)) emitCopy(to, node, from, y)
}

export function unaryOp(
  name: ActivationName | undefined,
  parameters: (node: Node) => [number, number] = () => [0, 0]
): Op {
  return {
    infer(node) {
      node.output.shape = node.inputs[0]!.shape
      node.output.dtype = node.inputs[0]!.dtype
    },
    countedAxis: alignedAxis,
    inPlace: [0],
    lower(node, to) {
      const [alpha, beta] = parameters(node)
      const own = name && { act: kindOf(name), alpha, beta }
      emitCopy(to, node, to.view(node.inputs[0]!), to.view(node.output), own ?? epilogueOf(node))
    }
  }
}

const isPair = (node: Node) => node.inputs.length === 2

export function binaryOp(named: BinaryName, dtype?: 'bool'): Op {
  return {
    infer(node) {
      const inputs = node.inputs as Value[]
      node.output.shape = broadcastShape(node, ...inputs.map(input => input.shape))
      node.output.dtype = dtype ?? inputs[0].dtype
    },
    required: 2,
    countedAxis: alignedAxis,
    inPlace: [0, 1],
    lower(node, to) {
      const [a, b] = (node.inputs as Value[]).map(input => to.view(input))
      emitBinary(node, to, named === 'mod' && node.number('fmod', 0) ? 'remainder' : named, a, b)
    }
  }
}

function emitBinary(node: Node, to: Lowering, name: BinaryName, a: View, b: View): void {
  const y = to.view(node.output)
  const operands = [broadcastStrides(a, y.shape), broadcastStrides(b, y.shape), y.strides]
  const loops = loopsOver(y.shape, y.order, operands, loopDepth)
  if (!loops) throw refuse(node, `needs more than ${loopDepth} nested loops to visit its output`)
  const integer = name === 'div' && node.output.dtype.includes('int')
  to.call(
    binaryKernel,
    {
      ...numbered('d', loops.sizes),
      ...numbered('a', loops.strides[0]),
      ...numbered('b', loops.strides[1]),
      ...numbered('y', loops.strides[2]),
      kind: Object.keys(binaries).indexOf(name),
      ...(integer ? { act: kindOf('truncate'), alpha: 0, beta: 0 } : epilogueOf(node))
    },
    { a, b, y }
  )
}

/** Squares, as norms and variances have them, are products. */
const pow: Op = {
  ...binaryOp('pow'),
  lower(node, to) {
    const [base, exponent] = node.inputs as Value[]
    const isSquare = isConstant(exponent) && exponent.data.length === 1 && exponent.data[0] === 2
    const a = to.view(base)
    if (isSquare) emitBinary(node, to, 'mul', a, a)
    else emitBinary(node, to, 'pow', a, to.view(exponent))
  }
}

const where: Op = {
  required: 3,
  infer(node) {
    const [c, a, b] = node.inputs as Value[]
    node.output.shape = broadcastShape(node, c.shape, a.shape, b.shape)
    node.output.dtype = a.dtype
  },
  countedAxis: alignedAxis,
  lower(node, to) {
    const [c, a, b] = (node.inputs as Value[]).map(input => to.view(input))
    const y = to.view(node.output)
    const operands = [c, a, b].map(view => broadcastStrides(view, y.shape))
    const loops = loopsOver(y.shape, y.order, [...operands, y.strides], loopDepth)
    if (!loops) throw refuse(node, `needs more than ${loopDepth} nested loops to visit its output`)
    to.call(
      whereKernel,
      {
        ...numbered('d', loops.sizes),
        ...numbered('c', loops.strides[0]),
        ...numbered('a', loops.strides[1]),
        ...numbered('b', loops.strides[2]),
        ...numbered('y', loops.strides[3])
      },
      { c, a, b, y }
    )
  }
}

/** Min and max come as attributes before opset 11 and as inputs since. */
const clip = unaryOp('clip', node => {
  const bound = (input: Value | undefined, name: string, fallback: number) => {
    if (!input) return node.number(name, fallback)
    if (!isConstant(input)) throw refuse(node, `${name} "${input.name}" must be a constant`)
    return input.data[0]
  }
  return [
    bound(node.inputs[1], 'min', Number.NEGATIVE_INFINITY),
    bound(node.inputs[2], 'max', Number.POSITIVE_INFINITY)
  ]
})

const geluOp: Op = {
  ...unaryOp('gelu'),
  infer(node) {
    unaryOp('gelu').infer(node)
    const approximate = node.text('approximate', 'none')
    if (approximate !== 'none' && approximate !== 'tanh')
      throw refuse(node, `approximate is ${approximate}; none and tanh are allowed`)
  },
  lower(node, to) {
    const name = node.text('approximate', 'none') === 'tanh' ? 'geluTanh' : 'gelu'
    unaryOp(name).lower!(node, to)
  }
}

/** What a Cast computes; nothing where the numbers, or with `whole` all that there may be, stay as they are. */
function casting(node: Node): 'identity' | 'nonzero' | 'truncate' {
  const [from, into] = [node.inputs[0]!.dtype, node.output.dtype]
  if (into === 'bool') return from === 'bool' ? 'identity' : 'nonzero'
  return into.includes('int') && from.includes('float') && !node.number('whole', 0) ? 'truncate' : 'identity'
}

const castOp: Op = {
  ...unaryOp('identity'),
  infer(node) {
    node.output.shape = node.inputs[0]!.shape
    const target = node.op === 'CastLike' ? node.inputs[1]?.dtype : node.text('to', 'nothing')
    if (!dtypes.includes(target as DType)) throw refuse(node, `casts to ${target}; ${dtypes.join(', ')} are allowed`)
    node.output.dtype = target as DType
  },
  countedAxis: (_, index, axis) => (index === 0 ? axis : undefined),
  alias: (node, view) => [casting(node) === 'identity' ? view : undefined],
  lower(node, to) {
    const name = casting(node)
    if (name === 'identity') copyUnless(node, to, to.view(node.inputs[0]!), node.output)
    else unaryOp(name).lower!(node, to)
  }
}

export const elementwise: Record<string, Op> = {
  /** An activation by kind: what the activation pass makes of exporters' spellings. */
  Activation: unaryOp(undefined),
  /** A materialisation in the output's order, put there by the layout pass. */
  Copy: { ...unaryOp('identity'), inPlace: [] },
  Relu: unaryOp('clip', () => [0, Number.POSITIVE_INFINITY]),
  Clip: { ...clip, takes: ({ inputs: [, ...bounds] }) => bounds.every(bound => !bound || isConstant(bound)) },
  LeakyRelu: unaryOp('leakyRelu', node => [node.number('alpha', 0.01), 0]),
  Sigmoid: unaryOp('sigmoid'),
  Tanh: unaryOp('tanh'),
  HardSigmoid: unaryOp('hardSigmoid', node => [node.number('alpha', 0.2), node.number('beta', 0.5)]),
  HardSwish: unaryOp('hardSwish', () => [1 / 6, 0.5]),
  Swish: unaryOp('silu'),
  Mish: unaryOp('mish'),
  Elu: unaryOp('elu', node => [node.number('alpha', 1), 0]),
  Selu: unaryOp('selu', node => [node.number('alpha', 1.6732632423543772), node.number('gamma', 1.0507009873554805)]),
  Softplus: unaryOp('softplus'),
  Softsign: unaryOp('softsign'),
  ThresholdedRelu: unaryOp('thresholdedRelu', node => [node.number('alpha', 1), 0]),
  Shrink: unaryOp('shrink', node => [node.number('lambd', 0.5), node.number('bias', 0)]),
  Gelu: geluOp,
  Erf: unaryOp('erf'),
  Exp: unaryOp('exp'),
  Log: unaryOp('log'),
  Sqrt: unaryOp('sqrt'),
  Abs: unaryOp('abs'),
  Neg: unaryOp('neg'),
  Reciprocal: unaryOp('reciprocal'),
  Floor: unaryOp('floor'),
  Ceil: unaryOp('ceil'),
  Round: unaryOp('round'),
  Sign: unaryOp('sign'),
  Not: unaryOp('not'),
  Sin: unaryOp('sin'),
  Cos: unaryOp('cos'),
  Tan: unaryOp('tan'),
  Asin: unaryOp('asin'),
  Acos: unaryOp('acos'),
  Atan: unaryOp('atan'),
  Sinh: unaryOp('sinh'),
  Cosh: unaryOp('cosh'),
  Asinh: unaryOp('asinh'),
  Acosh: unaryOp('acosh'),
  Atanh: unaryOp('atanh'),
  Cast: castOp,
  CastLike: castOp,
  Add: binaryOp('add'),
  Sub: binaryOp('sub'),
  Mul: binaryOp('mul'),
  Div: binaryOp('div'),
  Pow: pow,
  Mod: binaryOp('mod'),
  Max: { ...binaryOp('max'), required: 'all', takes: isPair, chains: true },
  Min: { ...binaryOp('min'), required: 'all', takes: isPair, chains: true },
  PRelu: binaryOp('prelu'),
  Equal: binaryOp('equal', 'bool'),
  Greater: binaryOp('greater', 'bool'),
  Less: binaryOp('less', 'bool'),
  GreaterOrEqual: binaryOp('greaterOrEqual', 'bool'),
  LessOrEqual: binaryOp('lessOrEqual', 'bool'),
  And: binaryOp('and', 'bool'),
  Or: binaryOp('or', 'bool'),
  Xor: binaryOp('xor', 'bool'),
  Where: where
}
