// Two rectified convolutions, the mean of their maps, and a fully connected layer: as ONNX, and plainly in double precision.
import { ModelBuilder } from '../onnx/model.js'
import type { Random } from '../random.js'

export const [channels, side, classes] = [3, 12, 4]
const widths = [channels, 5, 6]
const size = side * side

/** What goes back through a rectifier: of its input and of the gradient of its output. */
export type Back = (x: number, dy: number) => number
export const backs = {
  saliency: (x, dy) => (x > 0 ? dy : 0),
  guided: (x, dy) => (x > 0 && dy > 0 ? dy : 0),
  deconvnet: (_, dy) => Math.max(dy, 0)
} satisfies Record<string, Back>

export interface PlainNet {
  /** With a softmax at the end, and the maps of the last rectifier as a second output where they are asked for. */
  onnx(batch: number | 'N', maps?: boolean): Uint8Array
  scores(x: ArrayLike<number>): Float64Array
  /** Grad-CAM's map of a class, of both signs. */
  cam(x: ArrayLike<number>, label: number): Float64Array
  /** How near to zero what goes into a rectifier comes: rounding may put it on either side. */
  edge(x: ArrayLike<number>): number
  /** Of the score of a class: by the maps of the last rectifier, and by the input. */
  gradients(x: ArrayLike<number>, label: number, back: Back): { maps: Float64Array; input: Float64Array }
}

export function plainNet(random: Random): PlainNet {
  const layers = [0, 1].map(i => ({
    from: widths[i],
    to: widths[i + 1],
    w: Float32Array.from(random.values(widths[i + 1] * widths[i] * 9, [-0.5, 0.5])),
    b: Float32Array.from(random.values(widths[i + 1], [-0.3, 0.3]))
  }))
  const last = widths[2]
  const head = Float32Array.from(random.values(classes * last, [-1, 1]))
  type Layer = (typeof layers)[number]

  /** Calls for every product of the convolution: output, input, weight. */
  const products = ({ from, to }: Layer, visit: (o: number, i: number, w: number) => void) => {
    for (let f = 0; f < to; f++)
      for (let c = 0; c < from; c++)
        for (let ky = 0; ky < 3; ky++)
          for (let kx = 0; kx < 3; kx++)
            for (let y = 0; y < side; y++)
              for (let x = 0; x < side; x++) {
                const [iy, ix] = [y + ky - 1, x + kx - 1]
                if (iy < 0 || ix < 0 || iy >= side || ix >= side) continue
                visit((f * side + y) * side + x, (c * side + iy) * side + ix, ((f * from + c) * 3 + ky) * 3 + kx)
              }
  }
  const conv = (layer: Layer, x: ArrayLike<number>) => {
    const y = Float64Array.from({ length: layer.to * size }, (_, i) => layer.b[Math.floor(i / size)])
    products(layer, (o, i, w) => {
      y[o] += x[i] * layer.w[w]
    })
    return y
  }
  const forward = (x: ArrayLike<number>) => {
    const first = conv(layers[0], x)
    const second = conv(
      layers[1],
      first.map(v => Math.max(v, 0))
    )
    const means = Array.from({ length: last }, (_, k) => {
      return second.subarray(k * size, (k + 1) * size).reduce((sum, v) => sum + Math.max(v, 0), 0) / size
    })
    const scores = Float64Array.from({ length: classes }, (_, c) =>
      means.reduce((sum, mean, k) => sum + mean * head[c * last + k], 0)
    )
    return { first, second, scores }
  }
  return {
    onnx(batch, maps = false) {
      const m = new ModelBuilder(random)
      const constant = (dims: readonly number[], data: Float32Array) => m.constant({ dtype: 'float32', dims, data })
      let value = m.input([batch, channels, side, side], 'float32', [-1, 1], 'x')
      for (const { from, to, w, b } of layers) {
        const inputs = [value, constant([to, from, 3, 3], w), constant([to], b)]
        value = m.add('Relu', [m.add('Conv', inputs, { pads: [1, 1, 1, 1] })])
      }
      const flat = m.add('Flatten', [m.add('GlobalAveragePool', [value])])
      const scores = m.add('Gemm', [flat, constant([classes, last], head)], { transB: 1 })
      const end = m.add('Softmax', [scores], { axis: -1 })
      return (maps ? m.output(end, value) : m.output(end)).encode()
    },
    scores: x => forward(x).scores,
    edge(x) {
      const { first, second } = forward(x)
      return [first, second].reduce((least, all) => all.reduce((a, v) => Math.min(a, Math.abs(v)), least), 1)
    },
    cam(x, label) {
      const { second } = forward(x)
      return Float64Array.from({ length: size }, (_, i) =>
        Array.from(
          { length: last },
          (_, k) => (head[label * last + k] / size) * Math.max(second[k * size + i], 0)
        ).reduce((a, b) => a + b)
      )
    },
    gradients(x, label, back) {
      const { first, second } = forward(x)
      const maps = Float64Array.from(
        { length: last * size },
        (_, i) => head[label * last + Math.floor(i / size)] / size
      )
      const behind = maps.map((dy, i) => back(second[i], dy))
      const middle = new Float64Array(widths[1] * size)
      products(layers[1], (o, i, w) => {
        middle[i] += behind[o] * layers[1].w[w]
      })
      const before = middle.map((dy, i) => back(first[i], dy))
      const input = new Float64Array(channels * size)
      products(layers[0], (o, i, w) => {
        input[i] += before[o] * layers[0].w[w]
      })
      return { maps, input }
    }
  }
}

/**
 * A network and an input of which every method has something to say, of every class: random weights may leave maps and
 * gradients of nothing. At it, and between it and `baseline`, no rectifier hangs on rounding.
 */
export function tellingNet(random: Random, baseline = 0): { net: PlainNet; elements: Float32Array } {
  for (let draw = 0; draw < 200; draw++) {
    const net = plainNet(random)
    const elements = Float32Array.from(random.values(channels * size, [-1, 1]))
    const points = [0, 0.2, 0.4, 0.6, 0.8, 1].map(t => elements.map(value => baseline + (value - baseline) * t))
    const labels = Array.from({ length: classes }, (_, label) => label)
    if (points.every(point => net.edge(point) > 2e-6) && labels.every(label => tells(net, elements, label)))
      return { net, elements }
  }
  throw new Error('of 200 networks none has something to say of every class')
}

function tells(net: PlainNet, elements: Float32Array, label: number): boolean {
  const empty = new Float32Array(elements.length)
  const difference = net.scores(elements)[label] - net.scores(empty)[label]
  const largest = (values: Float64Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const map = net.cam(elements, label)
  return (
    Math.abs(difference) > 0.02 &&
    Math.max(...map) > 0.01 * largest(map) &&
    Object.values(backs).every(back => largest(net.gradients(elements, label, back).input) > 1e-6)
  )
}
