// What pools and normalises with several nodes.
import type { Tensor, WindowOptions } from './tensor.js'

/** What no sum of positive elements is below. */
const least = 1e-12

/**
 * Elements weighted by their share of the window, as a picture is classified with a network that was trained with stochastic pooling
 * (Zeiler and Fergus 2013, "Stochastic pooling for regularization of deep convolutional neural networks", equation 6): sums of
 * squares over sums. The input is at least 0. Training (`cairn train`) draws one element of each window instead.
 */
export function stochasticPool(x: Tensor, options: WindowOptions, name: string): Tensor {
  const squares = x.mul(x, `${name}.squares`).averagePool(options, `${name}.squares.mean`)
  const means = x.averagePool(options, `${name}.mean`)
  const bounded = means.emit('Max', `${name}.bounded`, [x.graph.constant([least], [])])
  return squares.emit('Div', name, [bounded.name], {}, { moments: means.moments })
}

/**
 * Local contrast normalisation (Jarrett, Kavukcuoglu, Ranzato and LeCun 2009, "What is the best multi-stage architecture for object
 * recognition?", section 2.1): each element less the mean of its neighbourhood in all channels, over the neighbourhood's deviation,
 * or the mean deviation of the picture where that is larger. The 9x9 window is a bell, of four averages of 3x3.
 */
export function contrastNorm(x: Tensor, name: string): Tensor {
  const { graph } = x
  const smooth = (y: Tensor, stem: string) => {
    const attributes = { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [1, 1] }
    let mean = y.emit('ReduceMean', `${stem}.channels`, [], { axes: [1] })
    for (let i = 1; i <= 4; i++) mean = mean.emit('AveragePool', `${stem}.${i}`, [], attributes)
    return mean
  }
  const mean = smooth(x, `${name}.mean`)
  const rest = x.emit('Sub', `${name}.subtractive`, [mean.name])
  const deviation = smooth(rest.emit('Mul', `${name}.squares`, [rest.name]), `${name}.variance`).emit(
    'Sqrt',
    `${name}.deviation`,
    []
  )
  const usual = deviation.emit('ReduceMean', `${name}.usual`, [], { axes: [1, 2, 3] })
  const divisor = deviation.emit('Max', `${name}.divisor`, [usual.name, graph.constant([least], [])])
  return rest.emit('Div', name, [divisor.name])
}
