// Networks with recurrent tails, as exporters write them: a recogniser of text lines and a voice detector.
import { ModelBuilder } from '../onnx/model.js'
import type { Random } from '../random.js'

/** A convolution with normal weights, so that a deep network keeps its signal, batch-normalised and rectified. */
function block(m: ModelBuilder, x: string, from: number, to: number, strides: readonly number[], group = 1): string {
  const reach = Math.sqrt(6 / ((from / group) * 9))
  const y = m.add('Conv', [x, m.weights([to, from / group, 3, 3], [-reach, reach])], {
    pads: [1, 1, 1, 1],
    strides,
    group
  })
  const [scale, variance] = [0, 1].map(() => m.weights([to], [0.5, 1.5]))
  const [bias, mean] = [0, 1].map(() => m.weights([to], [-0.3, 0.3]))
  return m.add('HardSwish', [m.add('BatchNormalization', [y, scale, bias, mean, variance])])
}

/** What exporters of PyTorch write for a first state of zeros: its sizes are computed of the input's. */
function zeros(m: ModelBuilder, sequence: string, directions: number, size: number): string {
  const batch = m.add('Slice', [m.add('Shape', [sequence]), m.ints([1]), m.ints([2])])
  const shape = m.add('Concat', [m.ints([directions]), batch, m.ints([size])], { axis: 0 })
  return m.add('ConstantOfShape', [shape])
}

/** Both directions of an LSTM over [steps, batch, inputs], joined to [steps, batch, 2 * size]. */
function bothWays(m: ModelBuilder, x: string, inputs: number, size: number): string {
  const reach = 1 / Math.sqrt(size)
  const weights = [
    [2, 4 * size, inputs],
    [2, 4 * size, size],
    [2, 8 * size]
  ].map(dims => m.weights(dims, [-reach, reach]))
  const states = [0, 1].map(() => zeros(m, x, 2, size))
  const [y] = m.addMany('LSTM', [x, ...weights, undefined, ...states], 3, {
    direction: 'bidirectional',
    hidden_size: size
  })
  return m.add('Reshape', [m.add('Transpose', [y], { perm: [0, 2, 1, 3] }), m.ints([0, 0, -1])])
}

/** As PP-OCR v2 recognises text: separable convolutions down to one row, two LSTMs both ways, and a distribution a column. */
export function recogniser(random: Random, letters = 97, size = 48): ModelBuilder {
  const m = new ModelBuilder(random)
  let x = block(m, m.input(['N', 3, 32, 'W'], 'float32', [-1, 1]), 3, 16, [2, 2])
  const rows = [
    [16, 32, 1, 1],
    [32, 48, 2, 1],
    [48, 64, 2, 1],
    [64, 96, 2, 1]
  ]
  for (const [from, to, down, across] of rows) {
    x = block(m, x, from, from, [down, across], from)
    x = block(m, x, from, to, [1, 1])
  }
  x = m.add('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] })
  // Columns are the steps.
  x = m.add('Transpose', [m.add('Squeeze', [x, m.ints([2])])], { perm: [2, 0, 1] })
  x = bothWays(m, bothWays(m, x, 96, size), 2 * size, size)
  const logits = m.add('MatMul', [
    m.add('Transpose', [x], { perm: [1, 0, 2] }),
    m.weights([2 * size, letters], [-3, 3])
  ])
  return m.output(m.add('Softmax', [m.add('Add', [logits, m.weights([letters])])], { axis: 2 }))
}

/** Magnitudes of a spectrum of 128 samples, every 64. */
function spectrum(m: ModelBuilder, samples: string, chunk: number, stft: boolean): string {
  const [window, bins, step] = [128, 65, 64]
  const hann = Array.from({ length: window }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / window))
  const padded = m.add('Pad', [samples, m.ints([0, 0, 0, step])], { mode: 'reflect' })
  if (stft) {
    const signal = m.add('Reshape', [padded, m.ints([0, chunk + step, 1])])
    const shape = m.constant({ dtype: 'float32', dims: [window], data: hann })
    const [stepOf, length] = [step, window].map(data => m.constant({ dtype: 'int64', dims: [], data: [data] }))
    const y = m.add('STFT', [signal, stepOf, shape, length], { onesided: 1 })
    const power = m.add('ReduceSum', [m.add('Mul', [y, y]), m.ints([3])], { keepdims: 0 })
    return m.add('Sqrt', [m.add('Transpose', [power], { perm: [0, 2, 1] })])
  }
  const basis = [Math.cos, (angle: number) => -Math.sin(angle)].flatMap(wave =>
    Array.from({ length: bins }, (_, k) =>
      hann.map((weight, i) => weight * wave((2 * Math.PI * k * i) / window))
    ).flat()
  )
  const kernel = m.constant({ dtype: 'float32', dims: [2 * bins, 1, window], data: basis })
  const y = m.add('Conv', [m.add('Unsqueeze', [padded, m.ints([1])]), kernel], { strides: [step] })
  const parts = m.addMany('Split', [y, m.ints([bins, bins])], 2, { axis: 1 })
  const [real, imaginary] = parts.map(part => m.add('Mul', [part, part]))
  return m.add('Sqrt', [m.add('Add', [real, imaginary])])
}

/** As Silero detects voices: magnitudes, convolutions, and an LSTM whose states come in and go out, a chunk a run. */
export function voiceDetector(random: Random, stft = false, chunk = 512, size = 64): ModelBuilder {
  const m = new ModelBuilder(random)
  const samples = m.input(['N', chunk], 'float32', [-1, 1], 'samples')
  const state = m.input([2, 'N', size], 'float32', [-1, 1], 'state')
  let x = spectrum(m, samples, chunk, stft)
  for (const [from, to, stride] of [
    [65, 64, 1],
    [64, 32, 2],
    [32, 32, 2],
    [32, size, 1]
  ]) {
    const reach = Math.sqrt(6 / (from * 3))
    const weights = [m.weights([to, from, 3], [-reach, reach]), m.weights([to], [-0.1, 0.1])]
    x = m.add('Relu', [m.add('Conv', [x, ...weights], { pads: [1, 1], strides: [stride] })])
  }
  const [h, c] = m.addMany('Split', [state, m.ints([1, 1])], 2, { axis: 0 })
  const reach = 1 / Math.sqrt(size)
  const weights = [
    [1, 4 * size, size],
    [1, 4 * size, size],
    [1, 8 * size]
  ].map(dims => m.weights(dims, [-reach, reach]))
  const steps = m.add('Transpose', [x], { perm: [2, 0, 1] })
  const [y, nextH, nextC] = m.addMany('LSTM', [steps, ...weights, undefined, h, c], 3, { hidden_size: size })
  const features = m.add('Relu', [m.add('Transpose', [m.add('Squeeze', [y, m.ints([1])])], { perm: [1, 2, 0] })])
  const scores = m.add('Sigmoid', [m.add('Conv', [features, m.weights([1, size, 1], [-1, 1])])])
  return m.output(
    m.add('ReduceMean', [scores], { axes: [1, 2], keepdims: 0 }),
    m.add('Concat', [nextH, nextC], { axis: 0 })
  )
}
