// Squeeze-and-excitation. Hu, Shen and Sun 2018, "Squeeze-and-excitation networks", section 3: a gate per channel from
// the channels' averages.
import type { Tensor } from './tensor.js'

export function squeezeExcite(
  x: Tensor,
  name: string,
  squeezed: number,
  activation: (x: Tensor) => Tensor,
  gate: (x: Tensor) => Tensor
): Tensor {
  const pooled = x.globalAveragePool(`${name}.squeeze`)
  const reduced = activation(pooled.conv(`${name}.reduce`, squeezed, { kernel: 1 }))
  return x.mul(gate(reduced.conv(`${name}.expand`, x.channels, { kernel: 1 })), `${name}.scale`)
}
