/**
 * Layer shapes as text, one layer a line:
 *
 *     TIMESx OP INPUT [OPERANDS] [OPTIONS] [EPILOGUE]   # the first layer of this shape
 *
 *     3x conv 1x64x56x56 128 3x3 s2 p1 relu         FILTERS and KERNEL; convtranspose alike
 *     1x gemm 1x2048 1000                           COLUMNS
 *     1x maxpool 1x64x112x112 3x3 s2 p1 ceil        KERNEL; avgpool alike, `padded` when it counts the padding
 *     1x mul 1x96x28x28 1x96x1x1                    the other operand's shape; add, sub, div, max, min, pow alike
 *     1x resize 1x256x28x28 224x224 half_pixel      OUTPUT SIZE, and how coordinates are meant; linear
 *     1x softmax 1x1000                             globalavgpool, globalmaxpool, lrn (size), scaleshift, prelu, instancenorm,
 *                                                   reducemax, reducemean (over channels)
 *     1x act 1x64x56x56 relu                        an activation alone
 *
 * Options are s (strides), p (pads: one number, two by axis, or four as ONNX has them), d (dilations), g (groups). The
 * epilogue is in the order of its doing: `+res relu` adds another map and then clips, `relu +res` the other way round.
 * Activations have Cairn's names and numbers, `clip(0,6)`; `relu` and `relu6` are clips.
 */
export interface Layer {
  readonly op: string
  readonly times: number
  readonly name: string
  readonly input: readonly number[]
  /** Filters or columns. */
  readonly outputs?: number
  /** Kernel size, the output size of a resize, or the other operand's shape. */
  readonly sizes?: readonly number[]
  readonly strides: readonly number[]
  /** Begin of each axis, then end of each. */
  readonly pads: readonly number[]
  readonly dilations: readonly number[]
  readonly groups: number
  /** `ceil`, `padded`, `half_pixel` and such. */
  readonly flags: readonly string[]
  /** Size of an LRN. */
  readonly size?: number
  readonly act?: Act
  readonly residual?: 'before' | 'after'
}

export interface Act {
  readonly name: string
  readonly alpha: number
  readonly beta: number
}

export const windowed = ['conv', 'convtranspose', 'maxpool', 'avgpool']
export const binaries = ['add', 'sub', 'mul', 'div', 'max', 'min', 'pow']
const flags = ['ceil', 'padded', 'half_pixel', 'align_corners', 'asymmetric', 'pytorch_half_pixel']

const numbers = (text: string) => text.split('x').map(Number)
const join = (list: readonly number[]) => list.join('x')

function showAct({ name, alpha, beta }: Act): string {
  if (name === 'clip' && alpha === 0 && beta === Number.POSITIVE_INFINITY) return 'relu'
  if (name === 'clip' && alpha === 0 && beta === 6) return 'relu6'
  const short = (value: number) => String(+value.toPrecision(7))
  return alpha || beta ? `${name}(${short(alpha)},${short(beta)})` : name
}

function parseAct(text: string): Act {
  if (text === 'relu') return { name: 'clip', alpha: 0, beta: Number.POSITIVE_INFINITY }
  if (text === 'relu6') return { name: 'clip', alpha: 0, beta: 6 }
  const match = /^(\w+)(?:\(([^,]+),([^)]+)\))?$/.exec(text)
  if (!match) throw new Error(`"${text}" is no part of a layer; see bench/layers/layers.ts`)
  return { name: match[1], alpha: Number(match[2] ?? 0), beta: Number(match[3] ?? 0) }
}

const same = (list: readonly number[]) => list.every(value => value === list[0])

/** The line without count and comment, which says all that two layers must have in common to be one. */
export function showLayer(layer: Layer): string {
  const { op, input, outputs, sizes, strides, pads, dilations, groups, act, residual } = layer
  const parts = [op, join(input)]
  if (outputs !== undefined) parts.push(String(outputs))
  if (sizes) parts.push(join(sizes))
  if (windowed.includes(op)) {
    const half = pads.length / 2
    const even = pads.slice(0, half).every((pad, i) => pad === pads[half + i])
    parts.push(`s${same(strides) ? strides[0] : join(strides)}`)
    parts.push(`p${same(pads) ? pads[0] : join(even ? pads.slice(0, half) : pads)}`)
    if (dilations.some(d => d > 1)) parts.push(`d${same(dilations) ? dilations[0] : join(dilations)}`)
    if (groups > 1) parts.push(`g${groups}`)
  }
  if (layer.size !== undefined) parts.push(String(layer.size))
  parts.push(...layer.flags)
  if (residual === 'before') parts.push('+res')
  if (act) parts.push(showAct(act))
  if (residual === 'after') parts.push('+res')
  return parts.join(' ')
}

export function showLine(layer: Layer): string {
  return `${layer.times}x ${showLayer(layer)}   # ${layer.name}`
}

export function parseLine(line: string): Layer {
  const [text, name = ''] = line.split('#')
  const tokens = text.trim().split(/\s+/)
  const times = /^\d+x$/.test(tokens[0]) ? Number.parseInt(tokens.shift()!, 10) : 1
  const op = tokens.shift()!
  const input = numbers(tokens.shift()!)
  const rank = Math.max(input.length - 2, 1)
  const next = () => tokens.shift()!
  const outputs = op.startsWith('conv') || op === 'gemm' ? Number(next()) : undefined
  const sizes = windowed.includes(op) || binaries.includes(op) || op === 'resize' ? numbers(next()) : undefined
  const size = op === 'lrn' ? Number(next()) : undefined
  const spread = (list: readonly number[], length: number) =>
    list.length === 1 ? new Array<number>(length).fill(list[0]) : [...list]
  let [strides, pads, dilations] = [spread([1], rank), spread([0], 2 * rank), spread([1], rank)]
  let groups = 1
  let act: Act | undefined
  let residual: Layer['residual']
  const given: string[] = []
  for (const token of tokens) {
    const option = /^([spdg])(\d+(?:x\d+)*)$/.exec(token)
    const values = option ? numbers(option[2]) : []
    if (option?.[1] === 's') strides = spread(values, rank)
    else if (option?.[1] === 'p')
      pads = values.length === rank && rank > 1 ? [...values, ...values] : spread(values, 2 * rank)
    else if (option?.[1] === 'd') dilations = spread(values, rank)
    else if (option?.[1] === 'g') groups = values[0]
    else if (token === '+res') residual = act ? 'after' : 'before'
    else if (flags.includes(token)) given.push(token)
    else act = parseAct(token)
  }
  return {
    op,
    times,
    name: name.trim(),
    input,
    outputs,
    sizes,
    strides,
    pads,
    dilations,
    groups,
    flags: given,
    size,
    act,
    residual
  }
}

/** The layers of a file; lines that begin with # are remarks. */
export function parseFile(text: string): Layer[] {
  return text
    .split('\n')
    .filter(line => line.trim() && !line.startsWith('#'))
    .map(parseLine)
}

export function outputShape(layer: Layer): number[] {
  const { op, input, outputs, sizes, strides, pads, dilations, flags } = layer
  const [batch, channels, ...spatial] = input
  const half = spatial.length
  if (op === 'gemm') return [batch, outputs!]
  if (op.startsWith('global')) return [batch, channels, ...spatial.map(() => 1)]
  if (op.startsWith('reduce')) return [batch, 1, ...spatial]
  if (op === 'resize') return [batch, channels, ...sizes!]
  if (!windowed.includes(op)) return [...input]
  const out = spatial.map((size, i) => {
    const extent = (sizes![i] - 1) * dilations[i] + 1
    if (op === 'convtranspose') return (size - 1) * strides[i] + extent - pads[i] - pads[i + half]
    const room = size + pads[i] + pads[i + half] - extent
    if (!flags.includes('ceil')) return Math.floor(room / strides[i]) + 1
    return Math.min(Math.ceil(room / strides[i]), Math.floor((size + pads[i] - 1) / strides[i])) + 1
  })
  return [batch, outputs ?? channels, ...out]
}

const product = (list: readonly number[]) => list.reduce((a, b) => a * b, 1)

/** Multiply-accumulates of direct sums; 0 for what has none. */
export function macsOf(layer: Layer): number {
  const { op, input, outputs, sizes, groups } = layer
  if (op === 'conv') return product(outputShape(layer)) * (input[1] / groups) * product(sizes!)
  if (op === 'convtranspose') return product(input) * (outputs! / groups) * product(sizes!)
  return op === 'gemm' ? product(input) * outputs! : 0
}

/** What a reader calls the layer: depthwise and grouped convolutions are told apart from dense ones. */
export function kindOf({ op, groups, input, outputs, sizes }: Layer): string {
  if (op !== 'conv') return op
  if (groups > 1) return groups === input[1] && outputs === groups ? 'depthwise' : 'grouped'
  return product(sizes!) === 1 ? 'pointwise' : 'dense'
}
