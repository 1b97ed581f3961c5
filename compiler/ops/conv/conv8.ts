import { add, ceilDiv, type Dim, max, mul, product, sub } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import type { Elements, Node, Value } from '../../graph/index.js'
import {
  behind,
  depth,
  emitGemm8,
  layerInputs,
  longestSum,
  product8Buffers,
  sumsOf,
  tileBytes,
  tileRows,
  weightAt,
  widePanel
} from '../dense/gemm8.js'
import { panelWidth } from '../elementwise/epilogue.js'
import { perFilter, requantised, requantiseFields, requantiseOf } from '../elementwise/requantise.js'
import { kernel, type Lowering, type Op, type View } from '../op.js'
import type { WeightShape } from '../weights.js'
import { type Windows, windows } from '../window.js'
import { convolution, isPointwise, rowsOf, shapeOf } from './conv.js'
import { convFields, placesOf } from './direct.js'

/** Convolutions of bytes. A zero point stands for what lies outside of the input. */

const { residual: _r, act: _a, alpha: _l, beta: _b, rN, rD, rH, rW, tiles: _t, ...places } = convFields
export const conv8Fields = {
  ...places,
  runs: 'u32',
  xZero: 'u32',
  ...requantiseFields,
  rows: 'u32',
  strip: 'u32'
} as const

/**
 * y = requantise(conv(x - xZero, w)), channels innermost; `channels` and `filters` count one group's. Weights lie in the panels of
 * gemm8, whose rows are kernel positions of as many channels as fill groups of 4, or with `runs` rows of kernel positions whose
 * channels follow each other and are filled up together.
 */
export const conv8Kernel = kernel({
  name: 'conv8',
  fields: conv8Fields,
  buffers: product8Buffers,
  reference(p, { x, w, scale, bias, y }) {
    eachSum(p, x, w, p.xZero, (sum, to, at) => (y[to] = requantised(sum, scale[at], bias[at], p)))
  }
})

/** The sum of each result: where it goes, and its filter among whole panels. */
export function eachSum(
  p: Parameters8,
  x: Float64Array,
  w: Float64Array,
  zero: number,
  body: (sum: number, to: number, filter: number) => void
): void {
  const rows = paddedRows(p.runs === 1, p.channels, p.kernelW) * p.kernelD * p.kernelH
  const columns = Math.ceil(p.filters / panelWidth) * panelWidth
  forEachPixel(p, (n, d, h, v, to) => {
    for (let g = 0; g < p.groups; g++)
      for (let f = 0; f < p.filters; f++) {
        let sum = 0
        forEachInput(p, n, d, h, v, (from, tap) => {
          for (let c = 0; c < p.channels; c++)
            sum +=
              (x[from + g * p.channels + c] - zero) *
              w[g * rows * columns + weightAt(rows, f, rowAt(p.runs === 1, p.channels, p.kernelW, tap, c))]
        })
        body(sum, to + g * p.filters + f, g * columns + f)
      }
  })
}

/** Rows of weights that one row of kernel positions takes. */
function paddedRows(runs: boolean, channels: number, width: number): number {
  return runs ? fill(channels * width) : fill(channels) * width
}

/** The row of a kernel position and a channel. */
function rowAt(runs: boolean, channels: number, width: number, tap: number, c: number): number {
  if (!runs) return tap * fill(channels) + c
  return Math.floor(tap / width) * fill(channels * width) + (tap % width) * channels + c
}

const fill = (count: number) => Math.ceil(count / depth) * depth

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

type Parameters8 = Readonly<Record<keyof typeof conv8Fields, number>>

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

/** Weights in panels, under the name that they have for all layers which read them so. */
export function packedPanels(to: Lowering, weights: Value, shape: WeightShape, { dilations }: Windows) {
  const { groups, channels, kernel } = shape
  const width = kernel[kernel.length - 1]
  const runs = dilations[kernel.length - 1] === 1
  const padded = (paddedRows(runs, channels, width) * kernel.reduce((a, b) => a * b, 1)) / width
  const key = `${weights.name} conv8 ${groups}${runs ? ' in runs' : ''}`
  return { key, w: to.constant(key, () => packConv8(weights, shape, runs, padded), undefined, 'i8'), padded, runs }
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
    const panels = Math.ceil(filters / panelWidth)
    if (taps * channels > longestSum) throw refuse(node, `sums ${taps * channels} products; ${longestSum} are allowed`)
    const [, weights, scale, bias] = node.inputs as Value[]
    const plain = taps === 1 && groups === 1 && isPointwise(window) ? rowsOf({ x, y, r: undefined }) : undefined
    const { key, w, padded, runs } = packedPanels(to, weights, shape, window)
    const vectors = { scale: perFilter(to, scale, groups, filters), bias: perFilter(to, bias, groups, filters) }
    if (plain) {
      const { rRow: _, ...sizes } = plain
      return emitGemm8(node, to, { ...sizes, inner: channels, columns: filters }, key, { x, w, ...vectors, y })
    }
    const fields = fieldsOf(node, shape, window, x, y)
    const rows = rowsOfBand(fields)
    const strip = stripOf(fields)
    to.call(
      conv8Kernel,
      { ...fields, runs: Number(runs), rows, strip },
      {
        ...{ x, w, ...vectors, y },
        sums: sumsOf(to, key, w, groups * panels, padded),
        scratch: to.scratch([scratchFloats(fields, runs, rows, strip, padded)])
      }
    )
  },
  macs: convolution.Conv.macs
}

export function fieldsOf(node: Node, shape: WeightShape, window: Windows, x: View, y: View) {
  return { ...placesOf(shape, window, x, y), xZero: node.number('xZero', 0), ...requantiseOf(node) }
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
    { ...fieldsOf(node, shape, window, x, y), runs: 0, rows: 0, strip: 0 },
    {
      ...{ x, y, w: to.constant(`${weights.name} depthwise8`, pack, undefined, 'i8') },
      ...{ scale: plain(scale), bias: plain(bias) },
      scratch: to.scratch([ringFloats(kernel, window)])
    }
  )
}

export type Sizes = ReturnType<typeof fieldsOf>

/** Bytes of a band of input that stay in the nearest cache while the panels pass. */
const bandBytes = 40 * 2 ** 10

/** Output rows of a band: of those whose input is small enough, as many as leave the least of a tile without use. */
export function rowsOfBand(p: Sizes): number {
  const { outH, outW, strideH, kernelH, dilationH, channels, kernelD } = p
  if (typeof outH !== 'number' || typeof outW !== 'number') return 3
  const line = (widthOf(p) as number) * (channels as number) * (kernelD as number)
  let [best, least] = [1, Number.POSITIVE_INFINITY]
  for (let rows = 1; rows <= outH; rows++) {
    const height = (rows - 1) * (strideH as number) + ((kernelH as number) - 1) * (dilationH as number) + 1
    if (rows > 1 && height * line > bandBytes) break
    const bands = Math.floor(outH / rows)
    const rest = outH - bands * rows
    const tiles = bands * Math.ceil((rows * outW) / tileRows) + Math.ceil((rest * outW) / tileRows)
    if (tiles > least) continue
    ;[best, least] = [rows, tiles]
  }
  return best
}

const widthOf = ({ outW, strideW, kernelW, dilationW }: Sizes): Dim =>
  add(mul(sub(outW, 1), strideW), add(mul(sub(kernelW, 1), dilationW), 1))

/** The scratch of the kernel: where runs begin, where windows do, and the band (asm/conv/bytes/conv8.ts). */
function bandFloats(p: Sizes, runs: boolean, rows: number, padded: number): Dim {
  const segments = mul(mul(p.kernelD, p.kernelH), runs ? 1 : p.kernelW)
  const height = add(mul(rows - 1, p.strideH), add(mul(sub(p.kernelH, 1), p.dilationH), 1))
  const elements = product([p.kernelD, height, widthOf(p), p.channels])
  const tables = add(mul(segments, 4), mul(ceilDiv(mul(rows, p.outW), tileRows), tileBytes))
  // Elements are 16 bits wide where the engine has no product of bytes.
  return ceilDiv(add(add(tables, mul(elements, 2)), widePanel(padded) + behind), 4)
}

/** Tiles that a strip of Winograd's has at least, so that filters are transformed for many, and channels whose sums stay exact. */
const stripTiles = 64
const mostChannels = 1024

/**
 * Rows of tiles of 2×2 results that are transformed together where 3×3 kernels have step 1 and the engine no product of bytes
 * (asm/conv/bytes/winograd8.ts); 0 where windows are multiplied as they are.
 */
export function stripOf(p: Sizes): number {
  const { kernelD, kernelH, kernelW, channels, outD, outH, outW } = p
  const isSquare = kernelD === 1 && outD === 1 && p.inD === 1 && kernelH === 3 && kernelW === 3 && p.groups === 1
  const isDense = [p.strideH, p.strideW, p.dilationH, p.dilationW].every(step => step === 1)
  if (!isSquare || !isDense || typeof outH !== 'number' || typeof outW !== 'number' || typeof channels !== 'number')
    return 0
  if (outW < 7 || outH < 2 || channels < 16 || channels % 8 || channels > mostChannels) return 0
  return Math.min(Math.ceil(stripTiles / Math.ceil(outW / 2)), Math.ceil(outH / 2))
}

/** Scratch of that: transformed filters of a panel, products, transformed inputs, and the band that they are made of. */
function stripFloats({ channels, outW }: Sizes, strip: number): number {
  const [c, width] = [channels as number, outW as number]
  const tiles = strip * Math.ceil(width / 2)
  const band = (2 * strip + 2) * (width + 2) + 1
  return Math.ceil((16 + 41 * 64 + 400 * c + 512 * tiles + 32 * tiles * c + 2 * band * c + behind) / 4)
}

/** The scratch of either way to multiply. */
export function scratchFloats(p: Sizes, runs: boolean, rows: number, strip: number, padded: number): Dim {
  return max(bandFloats(p, runs, rows, padded), strip && stripFloats(p, strip))
}

/** Floats that the kernel takes for weights by output and quad, and for a ring of interleaved rows (asm/conv/bytes/depthwise8.ts). */
function ringFloats(kernel: readonly number[], { strides, dilations }: Windows): number {
  const [kh, kw] = [1, ...kernel].slice(-2)
  const stride = strides[strides.length - 1]
  const [dh, dw] = [1, ...dilations].slice(-2)
  const outputs = stride === 1 ? (kw <= 3 ? 2 : kw <= 5 ? 4 : 2) : stride === 2 && kw > 3 && kw <= 5 ? 2 : 1
  const quads = ((outputs - 1) * stride + (kw - 1) * dw + 4) >> 2
  return (64 + kh * 4 + outputs * 32 * 64 + kh * quads * outputs * 128 + ((kh - 1) * dh + 1) * 32 * quads * 64) / 4
}

function packConv8(
  weights: Value,
  { groups, channels, filters, kernel }: WeightShape,
  runs: boolean,
  rows: number
): Elements {
  const taps = kernel.reduce((a, b) => a * b, 1)
  const width = kernel[kernel.length - 1]
  const size = rows * Math.ceil(filters / panelWidth) * panelWidth
  const packed = new Float32Array(groups * size)
  const data = weights.data!
  let from = 0
  for (let g = 0; g < groups; g++)
    for (let f = 0; f < filters; f++)
      for (let c = 0; c < channels; c++)
        for (let tap = 0; tap < taps; tap++)
          packed[g * size + weightAt(rows, f, rowAt(runs, channels, width, tap, c))] = data[from++]
  return packed
}
