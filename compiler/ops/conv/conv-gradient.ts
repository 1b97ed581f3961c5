import { mul } from '../../algebra/index.js'
import type { Node, Value } from '../../graph/index.js'
import { type Kernel, kernel, type Lowering, type Op } from '../op.js'
import { windows } from '../window.js'
import { shapeOf } from './conv.js'
import { convFields, placesOf } from './direct.js'

const gradientBuffers = { x: 'read', dy: 'read', y: 'write' } as const
/** The block is the convolution's; nothing follows these sums. */
const noEpilogue = { rN: 0, rD: 0, rH: 0, rW: 0, residual: 0, act: 0, alpha: 0, beta: 0, tiles: 0 }

type GradientKernel = Kernel<keyof typeof convFields, keyof typeof gradientBuffers>

/**
 * The gradient of a convolution's weights: for every kernel position and pair of channels the products of inputs and
 * output gradients, summed over batch and output pixels. `y` fields are the strides of the output gradient; the result is
 * dense as [kernel position, input channel of a group, filter].
 */
export const convGradientKernel: GradientKernel = kernel({
  name: 'convGradient',
  fields: convFields,
  buffers: gradientBuffers,
  reference(p, { x, dy, y }) {
    const filters = p.groups * p.filters
    y.fill(0, 0, p.kernelD * p.kernelH * p.kernelW * p.channels * filters)
    visitTaps(p, (tap, from, at) => {
      for (let c = 0; c < p.channels; c++)
        for (let f = 0; f < filters; f++)
          y[(tap * p.channels + c) * filters + f] += x[from + Math.floor(f / p.filters) * p.channels + c] * dy[at + f]
    })
  }
})

/** The same where every channel has one filter of its own: [kernel position, channel]. Depth stays 1. */
export const depthwiseGradientKernel: GradientKernel = kernel({
  name: 'depthwiseGradient',
  fields: convFields,
  buffers: gradientBuffers,
  reference(p, { x, dy, y }) {
    y.fill(0, 0, p.kernelH * p.kernelW * p.groups)
    visitTaps(p, (tap, from, at) => {
      for (let g = 0; g < p.groups; g++) y[tap * p.groups + g] += x[from + g] * dy[at + g]
    })
  }
})

/** Calls `body` for every kernel position of every window that lies inside, with where input and output pixel begin. */
function visitTaps(
  p: Readonly<Record<keyof typeof convFields, number>>,
  body: (tap: number, from: number, at: number) => void
): void {
  for (let n = 0; n < p.batch; n++)
    for (let od = 0; od < p.outD; od++)
      for (let oh = 0; oh < p.outH; oh++)
        for (let ow = 0; ow < p.outW; ow++)
          for (let kd = 0; kd < p.kernelD; kd++)
            for (let kh = 0; kh < p.kernelH; kh++)
              for (let kw = 0; kw < p.kernelW; kw++) {
                const d = od * p.strideD - p.padD + kd * p.dilationD
                const h = oh * p.strideH - p.padH + kh * p.dilationH
                const w = ow * p.strideW - p.padW + kw * p.dilationW
                if (d < 0 || d >= p.inD || h < 0 || h >= p.inH || w < 0 || w >= p.inW) continue
                body(
                  (kd * p.kernelH + kh) * p.kernelW + kw,
                  n * p.xN + d * p.xD + h * p.xH + w * p.xW,
                  n * p.yN + od * p.yD + oh * p.yH + ow * p.yW
                )
              }
}

/**
 * Inputs: a convolution's input, its weights (of which only the shape counts), no bias, and the gradient of its output;
 * attributes are the convolution's.
 */
const convWeightGradient: Op = {
  required: 2,
  infer(node) {
    node.output.dtype = node.inputs[0]!.dtype
    node.output.shape = node.inputs[1]!.shape
  },
  layout: 'convWeights',
  writesDense: true,
  lower(node: Node, to: Lowering) {
    const [input, , , gradient] = node.inputs as Value[]
    const shape = shapeOf(node)
    const x = to.view(input)
    const dy = to.view(gradient)
    const window = windows(node, x.shape.slice(2), shape.kernel)
    const depthwise = shape.channels === 1 && shape.filters === 1 && shape.kernel.length < 3
    to.call(
      depthwise ? depthwiseGradientKernel : convGradientKernel,
      {
        ...placesOf(shape, window, x, dy),
        ...noEpilogue
      },
      { x, dy, y: to.view(node.output) }
    )
  },
  macs: node => mul(...node.inputs[3]!.shape, ...node.inputs[1]!.shape.slice(1))
}

export const convolutionGradient: Record<string, Op> = { ConvWeightGradient: convWeightGradient }
