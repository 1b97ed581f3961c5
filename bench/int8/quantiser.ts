import { quantise } from '../../compiler/index.js'
import type { Tensor } from '../../runtime/index.js'

/** Who quantises, as the table of accuracies names it. */
export const quantiser = 'the quantiser of `cairn quantise`'

/** The model in QDQ form, calibrated on `feeds`. */
export function quantised(model: Uint8Array, feeds: readonly Record<string, Tensor>[]): Promise<Uint8Array> {
  return quantise(model, { calibrate: feeds })
}
