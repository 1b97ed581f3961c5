// Random networks of the layers that quantised ones have.
import { float, ModelBuilder } from '../onnx/model.js'
import type { Random } from '../random.js'

const sizes = [1, 3, 4, 5, 8, 12, 16, 24, 33]

/** Layers as quantised networks have them, one behind the other. */
export function quantisableNetwork(random: Random): ModelBuilder {
  const m = new ModelBuilder(random, 17)
  let channels = random.pick(sizes)
  let [h, w] = [random.int(6, 20), random.int(6, 40)]
  const input = m.input([random.int(1, 2), channels, h, w], 'float32', [-2, 2])
  let x = input
  const weights = (...dims: number[]) => m.weights(dims)
  for (let steps = random.int(2, 6); steps > 0; steps--) {
    const kind = random.pick([
      'conv',
      'pointwise',
      'depthwise',
      'add',
      'gate',
      'concat',
      'max',
      'mean',
      'curve',
      'swish',
      'enlarge'
    ])
    const kernel = random.pick([1, 2, 3, 3, 5, 7].filter(size => size <= Math.min(h, w)))
    const stride = random.pick([1, 1, 2])
    const pad = Math.floor(kernel / 2)
    const dilation = kernel === 3 && random.chance(0.2) && Math.min(h, w) > 4 ? 2 : 1
    const window = {
      strides: [stride, stride],
      pads: new Array(4).fill(pad * dilation),
      dilations: [dilation, dilation]
    }
    const resized = () => {
      h = Math.floor((h + 2 * pad * dilation - (kernel - 1) * dilation - 1) / stride) + 1
      w = Math.floor((w + 2 * pad * dilation - (kernel - 1) * dilation - 1) / stride) + 1
    }
    if (kind === 'conv' || kind === 'pointwise') {
      const filters = random.pick(sizes)
      const group = kind === 'conv' && random.chance(0.3) && channels % 2 === 0 && filters % 2 === 0 ? 2 : 1
      const size = kind === 'pointwise' ? 1 : kernel
      x = m.add('Conv', [x, weights(filters, channels / group, size, size), weights(filters)], {
        ...(kind === 'conv' ? window : {}),
        group
      })
      if (kind === 'conv') resized()
      channels = filters
      if (random.chance(0.5)) x = m.add('Relu', [x])
    } else if (kind === 'depthwise' && channels > 1) {
      x = m.add('Conv', [x, weights(channels, 1, kernel, kernel), weights(channels)], { ...window, group: channels })
      resized()
    } else if (kind === 'add') {
      const other = m.add('Conv', [x, weights(channels, channels, 1, 1)])
      x = m.add('Add', [x, other])
    } else if (kind === 'gate') {
      const squeezed = m.add('GlobalAveragePool', [x])
      x = m.add('Mul', [x, m.add('Sigmoid', [m.add('Conv', [squeezed, weights(channels, channels, 1, 1)])])])
    } else if (kind === 'enlarge' && h * w < 200) {
      const scales = m.constant({ dtype: 'float32', dims: [4], data: [1, 1, 2, 3] })
      const centred = random.chance(0.5)
      x = m.add('Resize', [x, undefined, scales], {
        mode: 'nearest',
        coordinate_transformation_mode: centred ? 'half_pixel' : 'asymmetric',
        nearest_mode: centred ? 'round_prefer_floor' : 'floor'
      })
      h *= 2
      w *= 3
    } else if (kind === 'swish') {
      x = m.add('Mul', [x, m.add('Sigmoid', [x])])
    } else if (kind === 'concat') {
      const filters = random.pick(sizes)
      x = m.add('Concat', [x, m.add('Conv', [x, weights(filters, channels, 1, 1)])], { axis: 1 })
      channels += filters
    } else if (kind === 'max' || kind === 'mean') {
      const { dilations: _, ...places } = window
      if (dilation > 1) continue
      const op = kind === 'max' ? 'MaxPool' : 'AveragePool'
      x = m.add(op, [x], { ...places, kernel_shape: [kernel, kernel] })
      resized()
    } else if (kind === 'curve') x = m.add('LeakyRelu', [x], { alpha: float(0.1) })
  }
  if (random.chance(0.5)) {
    const pooled = random.chance(0.5)
    const inner = pooled ? channels : channels * h * w
    x = m.add('Flatten', [pooled ? m.add('GlobalAveragePool', [x]) : x])
    if (inner < 4096) x = m.add('Gemm', [x, weights(10, inner), weights(10)], { transB: 1 })
  }
  // Steps that do not fit are left out: of all of them this is the network.
  return m.output(x === input ? m.add('LeakyRelu', [x], { alpha: float(0.1) }) : x)
}
