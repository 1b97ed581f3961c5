import { shaders } from '../../shaders/kernels.js'
import type { Header } from '../file/index.js'

/** Kernels whose shaders are loaded for those that need them; some of bytes are left out, or are others here. */
const later: readonly (readonly [RegExp, () => Promise<unknown>])[] = [
  [/^(det|recurrent)$/, () => import('../../shaders/later/more.js')],
  [/[gG]radient$|^(adam|dropout|sgd|slope)$/, () => import('../../shaders/later/training.js')],
  [/[^sn]8$|32$|quantize$|^lookup$/, () => import('../../shaders/later/bytes.js')]
]

/** Loads the shaders of a program's kernels that few programs need. */
export async function loadShaders({ kernels }: Header): Promise<void> {
  for (const [pattern, load] of later)
    if (kernels.some(({ name }) => pattern.test(name) && !shaders[name])) await load()
}
