// MobileNet v3. Howard et al. 2019, "Searching for MobileNetV3", tables 1 (large) and 2 (small).
import { type BuildOptions, GraphBuilder } from '../builder/builder.js'
import { squeezeExcite } from '../builder/squeeze-excite.js'
import type { Tensor } from '../builder/tensor.js'

/** Kernel, expanded channels, output channels, squeeze-and-excite, nonlinearity, stride. */
type Row = [number, number, number, boolean, 'RE' | 'HS', number]

const large: Row[] = [
  [3, 16, 16, false, 'RE', 1],
  [3, 64, 24, false, 'RE', 2],
  [3, 72, 24, false, 'RE', 1],
  [5, 72, 40, true, 'RE', 2],
  [5, 120, 40, true, 'RE', 1],
  [5, 120, 40, true, 'RE', 1],
  [3, 240, 80, false, 'HS', 2],
  [3, 200, 80, false, 'HS', 1],
  [3, 184, 80, false, 'HS', 1],
  [3, 184, 80, false, 'HS', 1],
  [3, 480, 112, true, 'HS', 1],
  [3, 672, 112, true, 'HS', 1],
  [5, 672, 160, true, 'HS', 2],
  [5, 960, 160, true, 'HS', 1],
  [5, 960, 160, true, 'HS', 1]
]

const small: Row[] = [
  [3, 16, 16, true, 'RE', 2],
  [3, 72, 24, false, 'RE', 2],
  [3, 88, 24, false, 'RE', 1],
  [5, 96, 40, true, 'HS', 2],
  [5, 240, 40, true, 'HS', 1],
  [5, 240, 40, true, 'HS', 1],
  [5, 120, 48, true, 'HS', 1],
  [5, 144, 48, true, 'HS', 1],
  [5, 288, 96, true, 'HS', 2],
  [5, 576, 96, true, 'HS', 1],
  [5, 576, 96, true, 'HS', 1]
]

const epsilon = 1e-3
const relu = (x: Tensor) => x.relu()
const hardSwish = (x: Tensor) => x.hardSwish()
const hardSigmoid = (x: Tensor) => x.hardSigmoid()

/** The nearest multiple of eight, but at least nine tenths of the value. */
function roundToEight(value: number): number {
  const rounded = Math.max(8, Math.floor((value + 4) / 8) * 8)
  return rounded < 0.9 * value ? rounded + 8 : rounded
}

function bottleneck(x: Tensor, name: string, row: Row): Tensor {
  const [kernel, expanded, channels, excite, nonlinearity, stride] = row
  const activate = nonlinearity === 'RE' ? relu : hardSwish
  let y = x
  if (expanded !== x.channels) y = activate(y.convNorm(`${name}.expand`, expanded, { kernel: 1, epsilon }))
  const window = { kernel, stride, pad: (kernel - 1) / 2, groups: expanded, epsilon }
  y = activate(y.convNorm(`${name}.depthwise`, expanded, window))
  if (excite) y = squeezeExcite(y, `${name}.se`, roundToEight(expanded / 4), relu, hardSigmoid)
  const residual = stride === 1 && channels === x.channels
  y = y.convNorm(`${name}.project`, channels, { kernel: 1, epsilon, gain: residual ? 0.3 : 1 })
  return residual ? y.add(x, `${name}.add`) : y
}

export function mobilenetV3(size: 'large' | 'small', options: BuildOptions = {}): Uint8Array {
  const [rows, last, hidden] = size === 'large' ? [large, 960, 1280] : [small, 576, 1024]
  const graph = new GraphBuilder(`mobilenet-v3-${size}`, options)
  let x = graph.input([3, 224, 224]).convNorm('conv1', 16, { kernel: 3, stride: 2, pad: 1, epsilon }).hardSwish()
  rows.forEach((row, i) => {
    x = bottleneck(x, `bneck${i + 1}`, row)
  })
  x = x.convNorm('conv2', last, { kernel: 1, epsilon }).hardSwish().globalAveragePool('avgpool').flatten()
  x = x.gemm('fc1', hidden).hardSwish().dropout(0.2)
  return graph.finish(x.gemm('fc2', options.classes ?? 1000, 'xavier'))
}
