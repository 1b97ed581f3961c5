import type * as Tf from '@tensorflow/tfjs-core'
import { fromHalves } from '../../../runtime/base/index.js'
import type { Feed, Opened } from '../engine.js'
import { decodePlan, permuted, type Step } from './plan.js'

type Tensor = Tf.Tensor
type Options = Readonly<Record<string, unknown>>
type Call = (inputs: Tensor[], options: Options) => Tensor | Tensor[]

/** A plan on the backend that `tf` has, in Node or in a page. */
export function openPlan(tf: typeof Tf, model: Uint8Array, feeds: readonly Feed[]): Opened {
  const calls = callsOf(tf)
  const { plan, weights } = decodePlan(model)
  const constants = plan.weights.map(({ id, shape, offset }) => {
    const length = shape.reduce((a, b) => a * b, 1)
    return [id, tf.tensor(weights.subarray(offset, offset + length), [...shape])] as const
  })
  const given = plan.inputs.map(({ name, id, order }) => {
    const { type, data, dims } = feeds.find(feed => feed.name === name)!
    const isHalf = type === 'float16' && data instanceof Uint16Array
    const floats = isHalf ? fromHalves(data) : (data as Float32Array)
    const shape = order.map(axis => dims[axis])
    return { id, shape, data: permuted(floats, dims, order) }
  })
  return {
    async run() {
      const tensors = new Map<number, Tensor>(constants)
      for (const { id, shape, data } of given) tensors.set(id, tf.tensor(data, shape))
      for (const step of plan.steps) runStep(calls, step, tensors)
      const results = plan.outputs.map(({ name, id, dims, order }) => {
        const physical = tensors.get(id)!.dataSync() as Float32Array
        const plain = order.every((axis, i) => axis === i)
        return { name, dims, type: 'float32', data: plain ? physical : permuted(physical, dims, order, true) }
      })
      for (const [id, tensor] of tensors) if (!constants.some(([constant]) => constant === id)) tensor.dispose()
      return results
    },
    async release() {
      for (const [, tensor] of constants) tensor.dispose()
    }
  }
}

function runStep(calls: Record<string, Call>, step: Step, tensors: Map<number, Tensor>): void {
  const made = calls[step.call](
    step.inputs.map(id => tensors.get(id)!),
    step.options
  )
  const list = Array.isArray(made) ? made : [made]
  step.outputs.forEach((id, i) => tensors.set(id, list[i]))
  for (const id of step.dead) {
    tensors.get(id)!.dispose()
    tensors.delete(id)
  }
}

/** Every call that a plan may name. */
function callsOf(tf: typeof Tf): Record<string, Call> {
  const binary =
    (call: (a: Tensor, b: Tensor) => Tensor): Call =>
    ([a, b]) =>
      call(a, b)
  const unary =
    (call: (x: Tensor) => Tensor): Call =>
    ([x]) =>
      call(x)
  const fused = (options: Options) => ({
    activation: options.activation as 'relu',
    leakyreluAlpha: options.alpha as number
  })
  return {
    conv2d: ([x, filter, bias, slope], { strides, dilations, pad, ...rest }) =>
      tf.fused.conv2d({
        x: x as Tf.Tensor4D,
        filter: filter as Tf.Tensor4D,
        bias,
        preluActivationWeights: slope,
        strides: strides as [number, number],
        dilations: dilations as [number, number],
        pad: pad as Tf.backend_util.ExplicitPadding,
        ...fused(rest)
      }),
    depthwise: ([x, filter, bias, slope], { strides, dilations, pad, ...rest }) =>
      tf.fused.depthwiseConv2d({
        x: x as Tf.Tensor4D,
        filter: filter as Tf.Tensor4D,
        bias,
        preluActivationWeights: slope,
        strides: strides as [number, number],
        dilations: dilations as [number, number],
        pad: pad as 'valid',
        ...fused(rest)
      }),
    conv2dTranspose: ([x, filter], { shape, strides, pad }) =>
      tf.conv2dTranspose(
        x as Tf.Tensor4D,
        filter as Tf.Tensor4D,
        shape as [number, number, number, number],
        strides as [number, number],
        pad as number
      ),
    matMul: ([a, b, bias], options) => tf.fused.matMul({ a, b, bias, ...fused(options) }),
    maxPool: ([x], { size, strides, pad }) =>
      tf.maxPool(x as Tf.Tensor4D, size as [number, number], strides as [number, number], pad as 'valid'),
    avgPool: ([x], { size, strides, pad }) =>
      tf.avgPool(x as Tf.Tensor4D, size as [number, number], strides as [number, number], pad as 'valid'),
    lrn: ([x], { radius, bias, alpha, beta }) =>
      tf.localResponseNormalization(
        x as Tf.Tensor4D,
        radius as number,
        bias as number,
        alpha as number,
        beta as number
      ),
    resizeLinear: ([x], { size, corners, half }) =>
      tf.image.resizeBilinear(x as Tf.Tensor4D, size as [number, number], corners as boolean, half as boolean),
    resizeNearest: ([x], { size, corners, half }) =>
      tf.image.resizeNearestNeighbor(x as Tf.Tensor4D, size as [number, number], corners as boolean, half as boolean),
    pad: ([x], { pads, value }) => tf.pad(x, pads as [number, number][], value as number),
    concat: (inputs, { axis }) => tf.concat(inputs, axis as number),
    split: ([x], { sizes, axis }) => tf.split(x, sizes as number[], axis as number),
    slice: ([x], { begin, size }) => tf.slice(x, begin as number[], size as number[]),
    stridedSlice: ([x], { begin, end, steps }) =>
      tf.stridedSlice(x, begin as number[], end as number[], steps as number[]),
    reshape: ([x], { shape }) => tf.reshape(x, shape as number[]),
    transpose: ([x], { perm }) => tf.transpose(x, perm as number[]),
    mean: ([x], { axes }) => tf.mean(x, axes as number[], true),
    softmax: ([x]) => tf.softmax(x),
    clip: ([x], { low, high }) => tf.clipByValue(x, low as number, high as number),
    leakyRelu: ([x], { alpha }) => tf.leakyRelu(x, alpha as number),
    scalar: (_, { value }) => tf.scalar(value as number),
    add: binary((a, b) => tf.add(a, b)),
    sub: binary((a, b) => tf.sub(a, b)),
    mul: binary((a, b) => tf.mul(a, b)),
    div: binary((a, b) => tf.div(a, b)),
    max: binary((a, b) => tf.maximum(a, b)),
    min: binary((a, b) => tf.minimum(a, b)),
    pow: binary((a, b) => tf.pow(a, b)),
    relu: unary(x => tf.relu(x)),
    relu6: unary(x => tf.relu6(x)),
    sigmoid: unary(x => tf.sigmoid(x)),
    tanh: unary(x => tf.tanh(x)),
    elu: unary(x => tf.elu(x)),
    selu: unary(x => tf.selu(x)),
    softplus: unary(x => tf.softplus(x)),
    exp: unary(x => tf.exp(x)),
    log: unary(x => tf.log(x)),
    sqrt: unary(x => tf.sqrt(x)),
    abs: unary(x => tf.abs(x)),
    neg: unary(x => tf.neg(x))
  }
}
