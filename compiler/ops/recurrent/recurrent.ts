import { add, type Dim, mul } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import type { Node, Value } from '../../graph/index.js'
import { activate } from '../elementwise/activation.js'
import { panelWidth } from '../elementwise/epilogue.js'
import { fields, kernel, type Lowering, numbered, type Op, type View } from '../op.js'
import { packedWeights, type WeightShape } from '../weights.js'
import { cells, gatesOf, scaledTanh } from './cells.js'

/**
 * The steps of a recurrent layer, for directions `first` .. `end` - 1 of `directions`. `x` [steps, batch, directions, gates, size]
 * is what the inputs add to the gates, `w` the recurrent weights, a group of [size, size] panels for each direction and gate.
 * `bias` [directions, size] is added to the product of a GRU's last gate, where that is `late`: reset behind the product. `peephole`
 * [directions, 3, size] are an LSTM's factors of the cell. `lengths` are steps by image, `h0` and `c0` [directions, batch, size]
 * what states begin with. Directions from `backward` on go through the steps from the end. The results are `y`
 * [steps, batch, directions, size], zeros behind a sequence, and the last states `h` and `c`.
 */
export const recurrentKernel = kernel({
  name: 'recurrent',
  fields: {
    gates: 'u32',
    steps: 'u32',
    batch: 'u32',
    size: 'u32',
    directions: 'u32',
    first: 'u32',
    end: 'u32',
    backward: 'u32',
    late: 'u32',
    coupled: 'u32',
    peeped: 'u32',
    counted: 'u32',
    begun: 'u32',
    charged: 'u32',
    clip: 'f32',
    ...fields('act', 3),
    ...fields('alpha', 3, 'f32'),
    ...fields('beta', 3, 'f32')
  },
  buffers: {
    x: 'read',
    w: 'read',
    bias: 'read',
    peephole: 'read',
    lengths: 'read',
    h0: 'read',
    c0: 'read',
    y: 'write',
    h: 'write',
    c: 'write',
    scratch: 'scratch'
  },
  reference(p, { x, w, bias, peephole, lengths, h0, c0, y, h, c }) {
    const { gates, size } = p
    const panels = Math.ceil(size / panelWidth) * panelWidth * size
    for (let d = p.first; d < p.end; d++)
      for (let n = 0; n < p.batch; n++) {
        const state = (d * p.batch + n) * size
        const length = p.counted ? Math.min(Math.max(Math.trunc(lengths[n]) || 0, 0), p.steps) : p.steps
        let hidden: Float64Array = p.begun ? h0.slice(state, state + size) : new Float64Array(size)
        let cell: Float64Array = p.charged ? c0.slice(state, state + size) : new Float64Array(size)
        for (let s = 0; s < length; s++) {
          const t = d < p.backward ? s : length - 1 - s
          const at = (t * p.batch + n) * p.directions + d
          const own = x.subarray(at * gates * size, (at + 1) * gates * size)
          const next = cells[gates]({
            hidden,
            cell,
            input: (gate, i) => own[gate * size + i],
            product(gate, i, of) {
              const column = (d * gates + gate) * panels + Math.floor(i / panelWidth) * panelWidth * size
              let sum = 0
              for (let k = 0; k < size; k++) sum += of[k] * w[column + k * panelWidth + (i % panelWidth)]
              return sum
            },
            bias: i => bias[d * size + i],
            peephole: (gate, i) => (p.peeped ? peephole[(d * 3 + gate) * size + i] : 0),
            act: (which, value) => functionOf(p, which, value),
            late: p.late,
            coupled: p.coupled
          })
          hidden = next.hidden
          cell = next.cell
          y.set(hidden, at * size)
        }
        for (let t = length; t < p.steps; t++) {
          const at = ((t * p.batch + n) * p.directions + d) * size
          y.fill(0, at, at + size)
        }
        h.set(hidden, state)
        if (gates === gatesOf.LSTM) c.set(cell, state)
      }
  }
})

/** Function `which` of the block's three; what goes into the first two is clipped. */
function functionOf(p: Readonly<Record<string, number>>, which: number, value: number): number {
  const [kind, alpha, beta] = [p[`act${which}`], p[`alpha${which}`], p[`beta${which}`]]
  const taken = which === 2 ? value : Math.min(Math.max(value, -p.clip), p.clip)
  return kind === scaledTanh ? alpha * Math.tanh(beta * taken) : activate(kind, taken, alpha, beta)
}

/** Floats of a tile's table with one segment (asm/dense/tile.ts). */
const tileTable = 18

/** Tiles of four images that pass over a panel of weights at a time (asm/recurrent/recurrent.ts). */
const tiles = 16

/** Panels of the recurrent weights [directions, gates * size, size]. */
function panelsOf(node: Node, to: Lowering, size: number, directions: number): View {
  const weights = node.inputs[1]!
  const gates = node.number('gates', 1)
  const shape: WeightShape = { groups: directions * gates, channels: size, filters: size, kernel: [] }
  const steps = (strides: readonly Dim[]) => ({
    group: mul(strides[1], size),
    filter: strides[1],
    channel: strides[2],
    taps: []
  })
  return packedWeights(node, to, weights, `${weights.name} recurrent`, shape, steps, () => {
    const { data } = weights as Value & { data: Float32Array }
    const packed = new Float32Array(data.length)
    let at = 0
    for (let group = 0; group < shape.groups; group++)
      for (let column = 0; column < size; column += panelWidth)
        for (let k = 0; k < size; k++)
          for (let i = column; i < Math.min(column + panelWidth, size); i++)
            packed[at++] = data[(group * size + i) * size + k]
    return packed
  })
}

/** The functions of the gates: kinds and their two numbers, for each direction. */
const functionsOf = (node: Node): readonly (readonly number[])[] => {
  const list = node.list('functions')!
  const each = list.length / node.number('directions', 1)
  return Array.from({ length: list.length / each }, (_, d) => list.slice(d * each, (d + 1) * each))
}

/**
 * What the decompose pass makes of LSTM, GRU and RNN: products of the inputs [steps, batch, directions * gates * size], recurrent
 * weights, bias, peepholes, lengths, first states. Gives all states [steps, batch, directions, size], the last and, of an LSTM,
 * the last cells [directions, batch, size].
 */
const recurrence: Op = {
  required: 2,
  gives: 3,
  infer(node) {
    const [x, w] = node.inputs as Value[]
    const [steps, batch] = x.shape
    const [directions, , size] = w.shape
    if (node.outputs.length < 2) throw refuse(node, 'gives all states and the last')
    for (const output of node.outputs) {
      output.dtype = x.dtype
      output.shape = [directions, batch, size]
    }
    node.output.shape = [steps, batch, directions, size]
  },
  layout: 'plain',
  writesDense: true,
  lower(node, to) {
    const [x, , bias, peephole, lengths, h0, c0] = node.inputs
    const [, batch, directions, size] = node.output.shape as [Dim, Dim, number, number]
    const gates = node.number('gates', 1)
    const none = to.constant('#zeros 1', () => new Float32Array(1))
    const given = (value: Value | undefined) => (value ? to.dense(value) : none)
    const w = panelsOf(node, to, size, directions)
    const [y, h, c = h] = node.outputs.map(output => to.view(output))
    const all = functionsOf(node)
    const alike = all.every(own => own.join() === all[0].join())
    const floats = mul(batch, size, 3 + gates)
    const room = Math.ceil(size / panelWidth) * panelWidth + tiles * tileTable
    for (let first = 0; first < directions; first = alike ? directions : first + 1) {
      const [act, alpha, beta] = [0, 1, 2].map(i => [0, 1, 2].map(which => all[first][which * 3 + i] ?? 0))
      to.call(
        recurrentKernel,
        {
          gates,
          steps: node.output.shape[0],
          batch,
          size,
          directions,
          first,
          end: alike ? directions : first + 1,
          backward: node.number('backward', directions),
          late: node.number('late', 0),
          coupled: node.number('coupled', 0),
          peeped: Number(peephole !== undefined),
          counted: Number(lengths !== undefined),
          begun: Number(h0 !== undefined),
          charged: Number(c0 !== undefined),
          clip: node.number('clip', Number.POSITIVE_INFINITY),
          ...numbered('act', act),
          ...numbered('alpha', alpha),
          ...numbered('beta', beta)
        },
        {
          x: given(x),
          w,
          bias: given(bias),
          peephole: given(peephole),
          lengths: given(lengths),
          h0: given(h0),
          c0: given(c0),
          y,
          h,
          c,
          scratch: to.scratch([add(floats, room)])
        }
      )
    }
  },
  macs: node => {
    const [steps, batch, directions, size] = node.output.shape
    return mul(steps, batch, directions, size, size, node.number('gates', 1))
  }
}

export const steps: Record<string, Op> = { Recurrence: recurrence }
