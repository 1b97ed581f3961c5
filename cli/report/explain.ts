import { type Graph, isConstant, type Node, type Value } from '../../compiler/graph/index.js'
import { type Bindings, evaluate } from '../../runtime/file/index.js'
import type { Layer } from './layers.js'
import { type Field, fieldBefore, fieldOf } from './receptive.js'

/** One of a layer's figures in the terms of its formula, as `(227 − 11 + 2·0)/4 + 1 = 55`. */
export interface Formula {
  readonly figure: 'size' | 'parameters' | 'MACs' | 'receptive field' | 'jump'
  /** Numbers, +, −, ·, /, parentheses, ⌊⌋ and ⌈⌉. */
  readonly formula: string
  readonly value: number
}

export interface Explained {
  readonly name: string
  readonly formulas: readonly Formula[]
}

const figures = (value: number) => value.toLocaleString('en-US')

/** Derives what `layersOf` counts, layer by layer; layers that have no formula of their own are left out. */
export function explained(graph: Graph, layers: readonly Layer[], bindings: Bindings): Explained[] {
  const fields = new Map<Value, Field>()
  return graph.nodes.flatMap((node, i) => {
    const before = fieldBefore(node, fields, bindings)
    const field = fieldOf(node, fields, bindings)
    for (const output of node.outputs) fields.set(output, field)
    const terms = new Terms(node, bindings)
    const formulas = [...terms.sizes(), ...terms.counts(layers[i]), ...terms.reach(before, field)]
    return formulas.length ? [{ name: node.name, formulas }] : []
  })
}

/** `conv1: size (227 − 11 + 2·0)/4 + 1 = 55; 96·(11·11·3) + 96 = 34,944 parameters; …` */
export function explanationText(list: readonly Explained[]): string {
  return list.map(({ name, formulas }) => `${name}: ${formulas.map(textOf).join('; ')}`).join('\n')
}

function textOf({ figure, formula, value }: Formula): string {
  const equation = formula === '' ? figures(value) : `${formula} = ${figures(value)}`
  if (figure === 'parameters' || figure === 'MACs') return `${equation} ${figure}`
  return `${figure} ${equation}`
}

const windowed: ReadonlySet<string> = new Set([
  ...['Conv', 'ConvInteger', 'QLinearConv', 'MaxPool', 'AveragePool', 'LpPool']
])

const times = (factors: readonly (number | string)[]) => factors.join('·')

class Terms {
  private readonly input: readonly number[]
  private readonly output: readonly number[]
  /** Of a window, or none. */
  private readonly kernel: readonly number[] | undefined
  private readonly weights: readonly number[] | undefined

  constructor(
    private readonly node: Node,
    private readonly bindings: Bindings
  ) {
    this.input = node.inputs[0] ? this.shapeOf(node.inputs[0]) : []
    this.output = this.shapeOf(node.output)
    const at = node.op === 'QLinearConv' ? 3 : 1
    const isConv = /Conv/.test(node.op)
    this.weights = isConv && node.inputs[at] ? this.shapeOf(node.inputs[at]) : undefined
    const hasWindow = windowed.has(node.op) || node.op === 'ConvTranspose'
    this.kernel = hasWindow ? (node.list('kernel_shape') ?? this.weights?.slice(2)) : undefined
  }

  private shapeOf({ shape }: Value): number[] {
    return shape.map(dim => evaluate(dim, this.bindings))
  }

  private per(name: string, fallback: number): readonly number[] {
    return this.node.list(name) ?? new Array<number>(this.kernel!.length).fill(fallback)
  }

  sizes(): Formula[] {
    const { node, input, output, kernel } = this
    const size = (formula: string, value: number): Formula => ({ figure: 'size', formula, value })
    if (kernel) {
      const all = kernel.map((_, axis) =>
        node.op === 'ConvTranspose' ? this.transposed(axis) : this.windows(axis, kernel[axis])
      )
      const formulas = all.map((formula, axis) => size(formula, output[axis + 2]))
      const isAlike = formulas.every(({ formula }) => formula === formulas[0].formula)
      return isAlike ? formulas.slice(0, 1) : formulas
    }
    if (node.op === 'Flatten' && input.length > 2) return [size(times(input.slice(1)), output[1])]
    if (node.op === 'Concat' && node.number('axis', 0) === 1) {
      const parts = node.inputs.map(value => this.shapeOf(value!)[1])
      return [size(parts.join(' + '), output[1])]
    }
    return []
  }

  /** How many windows there are along an axis (Dumoulin and Visin 2016, relationship 6; with dilation, 15). */
  private windows(axis: number, kernel: number): string {
    const { node, input, output } = this
    const [size, out] = [input[axis + 2], output[axis + 2]]
    const [stride, dilation] = [this.per('strides', 1)[axis], this.per('dilations', 1)[axis]]
    const mode = node.text('auto_pad', 'NOTSET')
    if (mode.startsWith('SAME')) return `⌈${size}/${stride}⌉`
    const pads = node.list('pads') ?? []
    const rank = this.kernel!.length
    const [before, behind] = mode === 'VALID' ? [0, 0] : [pads[axis] ?? 0, pads[axis + rank] ?? 0]
    const reach = dilation === 1 ? String(kernel) : `(${dilation}·(${kernel} − 1) + 1)`
    const extent = dilation * (kernel - 1) + 1
    const room = size - extent + before + behind
    const padded = before === behind ? `2·${before}` : `${before} + ${behind}`
    const quotient = `(${size} − ${reach} + ${padded})/${stride}`
    const isCeiled = node.number('ceil_mode', 0) === 1
    const rounded = room % stride === 0 ? quotient : isCeiled ? `⌈${quotient}⌉` : `⌊${quotient}⌋`
    const count = (isCeiled ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1
    // A window that would begin behind the border is none.
    return count === out ? `${rounded} + 1` : `${rounded} + 1 − ${count - out}`
  }

  private transposed(axis: number): string {
    const { node, input, output, kernel } = this
    const [stride, dilation] = [this.per('strides', 1)[axis], this.per('dilations', 1)[axis]]
    const extra = node.list('output_padding')?.[axis] ?? 0
    const reach = dilation === 1 ? String(kernel![axis]) : `(${dilation}·(${kernel![axis]} − 1) + 1)`
    const full = (input[axis + 2] - 1) * stride + dilation * (kernel![axis] - 1) + 1 + extra
    const cut = full - output[axis + 2]
    const shown = `(${input[axis + 2]} − 1)·${stride} + ${reach}${extra ? ` + ${extra}` : ''}`
    return cut % 2 ? `${shown} − ${cut}` : `${shown} − 2·${cut / 2}`
  }

  /** Filters of one kernel each, as `96·(11·11·3)`. */
  private filters(): string | undefined {
    const { node, weights } = this
    if (!weights || weights.length < 3) return undefined
    const [first, second, ...kernel] = weights
    const groups = node.number('group', 1)
    if (node.op === 'ConvTranspose') return times([first, `(${times([...kernel, second])})`])
    const channels = groups > 1 ? `${second * groups}/${groups}` : second
    return times([first, `(${times([...kernel, channels])})`])
  }

  counts({ parameters, macs }: Layer): Formula[] {
    const found: Formula[] = []
    if (parameters) found.push({ figure: 'parameters', formula: this.parameters(parameters), value: parameters })
    if (macs) found.push({ figure: 'MACs', formula: this.macs(), value: macs })
    return found
  }

  private parameters(count: number): string {
    const { node, output } = this
    const [, weights, bias] = node.inputs
    const filters = this.filters()
    const own = isConstant(weights) ? weights.data.length : 0
    const added = isConstant(bias) ? bias.data.length : 0
    const behind = added && own + added === count ? ` + ${added}` : ''
    if (own + (behind ? added : 0) !== count && !/Normalization$/.test(node.op)) return ''
    if (filters && !node.op.startsWith('QLinear')) return `${filters}${behind}`
    if (node.op === 'Gemm' || node.op === 'MatMul') {
      const { shape } = weights as Value & { shape: number[] }
      const [outputs, inputs] = node.number('transB', 0) ? shape : [...shape].reverse()
      return `${outputs}·${inputs}${behind}`
    }
    return /^(Batch|Instance|Group)Normalization$/.test(node.op) && 2 * output[1] === count ? `2·${output[1]}` : ''
  }

  /** What each element of the output takes, times how many there are. */
  private macs(): string {
    const { node, output, input } = this
    const [batch, , ...places] = output
    const many = batch === 1 ? [] : [batch]
    const filters = this.filters()
    if (node.op === 'ConvTranspose' && filters) return times([...many, ...input.slice(2), filters])
    if (filters) return times([...many, ...places, filters])
    if (node.op !== 'Gemm' && node.op !== 'MatMul') return ''
    const inner = node.op === 'Gemm' && node.number('transA', 0) ? input[0] : input[input.length - 1]
    const rows = output.filter((size, axis) => axis === output.length - 1 || size !== 1)
    return times([...rows, inner])
  }

  /** `r + (k − 1)·j` and `j·s` (Araujo et al. 2019), where a window makes a difference. */
  reach(before: Field, after: Field): Formula[] {
    const { kernel, node } = this
    if (!kernel || node.op === 'ConvTranspose' || before === 'whole' || after === 'whole') return []
    const dilations = this.per('dilations', 1)
    const all = kernel.map((k, axis): Formula[] => {
      const [size, jump, stride] = [before.size[axis], before.jump[axis], this.per('strides', 1)[axis]]
      const taps = dilations[axis] === 1 ? `(${k} − 1)` : `${dilations[axis]}·(${k} − 1)`
      const seen: Formula = {
        figure: 'receptive field',
        formula: `${size} + ${taps}·${jump}`,
        value: after.size[axis]
      }
      return [
        ...(k > 1 ? [seen] : []),
        ...(stride > 1 ? [{ figure: 'jump' as const, formula: `${jump}·${stride}`, value: after.jump[axis] }] : [])
      ]
    })
    const isAlike = all.every(list => list.map(textOf).join() === all[0].map(textOf).join())
    return isAlike ? all[0] : all.flat()
  }
}
