import { product } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import type { Elements, Node, Value } from '../../graph/index.js'
import {
  depth,
  emitGemm8,
  layerInputs,
  longestSum,
  packBytes,
  product8Buffers,
  sumsOf,
  tilesFor,
  weightAt
} from '../dense/gemm8.js'
import { panelWidth } from '../elementwise/epilogue.js'
import { perFilter, requantised, requantiseFields, requantiseOf } from '../elementwise/requantise.js'
import { kernel, type Lowering, type Op, type View } from '../op.js'
import type { WeightShape } from '../weights.js'
import { type Windows, windows } from '../window.js'
import { convFields, convolution, isPointwise, rowsOf, shapeOf, spatialSizes, stepsOf } from './conv.js'

/** Convolutions of bytes. A zero point stands for what lies outside of the input. */

const { residual: _r, act: _a, alpha: _l, beta: _b, rN, rD, rH, rW, tiles, ...places } = convFields
const conv8Fields = { ...places, xZero: 'u32', ...requantiseFields, tiles } as const

/**
 * y = requantise(conv(x - xZero, w)), channels innermost; `channels` and `filters` count one group's. Weights lie in the panels of
 * gemm8, whose rows are kernel positions of as many channels as fill groups of 4.
 */
export const conv8Kernel = kernel({
  name: 'conv8',
  fields: conv8Fields,
  buffers: product8Buffers,
  reference(p, { x, w, scale, bias, y }) {
    const padded = Math.ceil(p.channels / depth) * depth
    const rows = padded * p.kernelD * p.kernelH * p.kernelW
    const columns = Math.ceil(p.filters / panelWidth) * panelWidth
    forEachPixel(p, (n, d, h, v, to) => {
      for (let g = 0; g < p.groups; g++)
        for (let f = 0; f < p.filters; f++) {
          let sum = 0
          forEachInput(p, n, d, h, v, (from, tap) => {
            for (let c = 0; c < p.channels; c++)
              sum +=
                (x[from + g * p.channels + c] - p.xZero) * w[g * rows * columns + weightAt(rows, f, tap * padded + c)]
          })
          const at = g * columns + f
          y[to + g * p.filters + f] = requantised(sum, scale[at], bias[at], p)
        }
    })
  }
})

/** One filter a channel. Weights are [kernelH, kernelW, channels]. */
export const depthwise8Kernel = kernel({
  name: 'depthwise8',
  fields: conv8Fields,
  buffers: { x: 'read', w: 'read', scale: 'read', bias: 'read', y: 'write', scratch: 'scratch' },
  reference(p, { x, w, scale, bias, y }) {
    forEachPixel(p, (n, d, h, v, to) => {
      for (let c = 0; c < p.groups; c++) {
        let sum = 0
        forEachInput(p, n, d, h, v, (from, tap) => {
          sum += (x[from + c] - p.xZero) * w[tap * p.groups + c]
        })
        y[to + c] = requantised(sum, scale[c], bias[c], p)
      }
    })
  }
})

type Parameters8 = Parameters<typeof conv8Kernel.reference>[0]

function forEachPixel(p: Parameters8, body: (n: number, d: number, h: number, v: number, to: number) => void): void {
  for (let n = 0; n < p.batch; n++)
    for (let d = 0; d < p.outD; d++)
      for (let h = 0; h < p.outH; h++)
        for (let v = 0; v < p.outW; v++) body(n, d, h, v, n * p.yN + d * p.yD + h * p.yH + v * p.yW)
}

/** The inputs of an output pixel that lie inside, each with its kernel position. */
function forEachInput(
  p: Parameters8,
  n: number,
  d: number,
  h: number,
  v: number,
  body: (from: number, tap: number) => void
): void {
  let tap = 0
  for (let kd = 0; kd < p.kernelD; kd++)
    for (let kh = 0; kh < p.kernelH; kh++)
      for (let kw = 0; kw < p.kernelW; kw++, tap++) {
        const id = d * p.strideD - p.padD + kd * p.dilationD
        const ih = h * p.strideH - p.padH + kh * p.dilationH
        const iw = v * p.strideW - p.padW + kw * p.dilationW
        if (id < 0 || id >= p.inD || ih < 0 || ih >= p.inH || iw < 0 || iw >= p.inW) continue
        body(n * p.xN + id * p.xD + ih * p.xH + iw * p.xW, tap)
      }
}

/** A convolution as the quantise pass makes it, of the same attributes and weights as Conv. */
export const conv8: Op = {
  required: 4,
  infer(node) {
    convolution.Conv.infer(node)
    node.output.dtype = 'uint8'
    node.output.narrow = true
  },
  layout: 'channelsLast',
  lower(node, to) {
    const shape = shapeOf(node)
    const x = to.view(node.inputs[layerInputs.x]!)
    const y = to.view(node.output)
    const window = windows(node, x.shape.slice(2), shape.kernel)
    const { groups, channels, filters, kernel } = shape
    const taps = kernel.reduce((a, b) => a * b, 1)
    if (channels === 1 && filters === 1 && groups > 1 && kernel.length < 3)
      return emitDepthwise(node, to, shape, window, x, y)
    const padded = Math.ceil(channels / depth) * depth
    const panels = Math.ceil(filters / panelWidth)
    if (taps * channels > longestSum) throw refuse(node, `sums ${taps * channels} products; ${longestSum} are allowed`)
    const [, weights, scale, bias] = node.inputs as Value[]
    const key = `${weights.name} conv8 ${groups}`
    const w = to.constant(key, () => pack(weights, shape), undefined, 'i8')
    const vectors = { scale: perFilter(to, scale, groups, filters), bias: perFilter(to, bias, groups, filters) }
    const rows = taps === 1 && groups === 1 && isPointwise(window) ? rowsOf({ x, y, r: undefined }) : undefined
    if (rows) {
      const { rRow: _, ...sizes } = rows
      return emitGemm8(node, to, { ...sizes, inner: channels, columns: filters }, key, { x, w, ...vectors, y })
    }
    const { tiles, floats } = tilesFor(taps * padded)
    to.call(
      conv8Kernel,
      { ...fieldsOf(node, shape, window, x, y), tiles },
      {
        ...{ x, w, ...vectors, y },
        sums: sumsOf(to, key, w, groups * panels, taps * padded),
        scratch: to.scratch([floats])
      }
    )
  },
  macs: convolution.Conv.macs
}

function fieldsOf(node: Node, { groups, channels, filters, kernel }: WeightShape, window: Windows, x: View, y: View) {
  return {
    ...{ batch: x.shape[0], groups, channels, filters },
    ...spatialSizes('in', x.shape.slice(2), 1),
    ...spatialSizes('out', y.shape.slice(2), 1),
    ...spatialSizes('kernel', kernel, 1),
    ...spatialSizes('stride', window.strides, 1),
    ...spatialSizes('pad', window.padsBegin, 0),
    ...spatialSizes('dilation', window.dilations, 1),
    ...stepsOf('x', x),
    ...stepsOf('y', y),
    xZero: node.number('xZero', 0),
    ...requantiseOf(node)
  }
}

function emitDepthwise(node: Node, to: Lowering, shape: WeightShape, window: Windows, x: View, y: View): void {
  const [, weights, scale, bias] = node.inputs as Value[]
  const { groups, kernel } = shape
  const taps = kernel.reduce((a, b) => a * b, 1)
  const pack = () =>
    weights.data!.map((_, i) => weights.data![(i % groups) * taps + Math.floor(i / groups)]) as Elements
  const plain = (value: Value) => to.constant(`${value.name} of channels`, () => value.data!)
  to.call(
    depthwise8Kernel,
    { ...fieldsOf(node, shape, window, x, y), tiles: 0 },
    {
      ...{ x, y, w: to.constant(`${weights.name} depthwise8`, pack, undefined, 'i8') },
      ...{ scale: plain(scale), bias: plain(bias) },
      scratch: to.scratch([ringFloats(kernel, window)])
    }
  )
}

/** Floats that the kernel takes for weights by output and quad, and for a ring of interleaved rows (asm/conv/depthwise8.ts). */
function ringFloats(kernel: readonly number[], { strides, dilations }: Windows): number {
  const [kh, kw] = [1, ...kernel].slice(-2)
  const stride = strides[strides.length - 1]
  const [dh, dw] = [1, ...dilations].slice(-2)
  const outputs = stride === 1 ? (kw <= 3 ? 2 : kw <= 5 ? 4 : 2) : stride === 2 && kw > 3 && kw <= 5 ? 2 : 1
  const quads = ((outputs - 1) * stride + (kw - 1) * dw + 4) >> 2
  return (64 + kh * quads * outputs * 128 + ((kh - 1) * dh + 1) * 32 * quads * 64) / 4
}

function pack(weights: Value, { groups, channels, filters, kernel }: WeightShape): Elements {
  const taps = product(kernel) as number
  const padded = Math.ceil(channels / depth) * depth
  const data = weights.data!
  return packBytes(groups, taps * padded, filters, (g, k, f) => {
    const [tap, c] = [Math.floor(k / padded), k % padded]
    return c < channels ? data[((g * filters + f) * channels + c) * taps + tap] : 0
  })
}
