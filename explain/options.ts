import type { ImportOptions } from '../compiler/onnx/index.js'
import { CairnError, mostThreads } from '../runtime/base/index.js'

/** Ways to explain, each with where it is described; docs/explain.md has what they are good for. */
export const methods = [
  /** Selvaraju et al., arXiv 1610.02391 */
  'gradcam',
  /** Chattopadhyay et al., arXiv 1710.11063 */
  'gradcam++',
  /** Simonyan et al., arXiv 1312.6034 */
  'saliency',
  /** Smilkov et al., arXiv 1706.03825 */
  'smoothgrad',
  /** Springenberg et al., arXiv 1412.6806 */
  'guided',
  /** Sundararajan et al., arXiv 1703.01365 */
  'integrated',
  /** Zeiler and Fergus, arXiv 1311.2901, section 4.2 */
  'occlusion',
  /** Zeiler and Fergus, arXiv 1311.2901, section 2.1 */
  'deconvnet'
] as const

/** A way to explain. */
export type Method = (typeof methods)[number]

/** How a network's answer is explained; all of it has a default. */
export interface ExplainerOptions extends ImportOptions {
  /** Default `gradcam`. */
  readonly method?: Method
  /** Of Grad-CAM: the node or value whose maps are weighed; by default the last maps of convolutions. */
  readonly layer?: string
  /** The output whose scores are explained; by default the first that is one row of numbers. */
  readonly output?: string
  /**
   * Of integrated gradients: steps from the baseline to the input, all alike. By default they are halved where they miss the
   * difference of the scores, until the sum is within 1 % of it.
   */
  readonly steps?: number
  /** Of SmoothGrad: noisy inputs whose gradients are averaged; default 16. */
  readonly samples?: number
  /** Of SmoothGrad: the noise's standard deviation as a share of the input's range; default 0.15. */
  readonly noise?: number
  /** Of SmoothGrad: a whole number from 0 to 2³² - 1; the same gives the same map. Default 0. */
  readonly seed?: number
  /** Of occlusion: pixels a side of the square that is covered; by default a sixth of the shorter side. */
  readonly window?: number
  /** Of occlusion: pixels from one square to the next; by default half the window. */
  readonly stride?: number
  /** What integrated gradients begin at and occlusion covers with, as an element of the input; default 0. */
  readonly baseline?: number
  /** `wasm` (the default), `webgpu`, `auto` for the faster of the two, or `reference` in double precision. */
  readonly device?: string
  /** Threads of the CPU path, 1 to 16; default 1. */
  readonly numThreads?: number
}

/** What is asked of one input. */
export interface ExplainOptions {
  /** The class, counted from 0; by default the one with the largest score. */
  readonly class?: number
  /** Ends the explanation with the signal's reason, between two runs of the network. */
  readonly signal?: AbortSignal
  /** Called behind each run of the network, for methods that make several. */
  readonly onRun?: (done: number, total: number) => void
}

export const devices = ['wasm', 'webgpu', 'auto', 'reference']

/** What methods take beside a class: whatever else is given is of no use. */
const own: Readonly<Record<string, readonly Method[]>> = {
  layer: ['gradcam', 'gradcam++'],
  steps: ['integrated'],
  samples: ['smoothgrad'],
  noise: ['smoothgrad'],
  seed: ['smoothgrad'],
  window: ['occlusion'],
  stride: ['occlusion'],
  baseline: ['integrated', 'occlusion']
}

export interface Settings extends ExplainerOptions {
  readonly method: Method
  readonly samples: number
  readonly noise: number
  readonly seed: number
  readonly baseline: number
  readonly device: string
  readonly numThreads: number
}

/** Throws CairnError for what cannot be. */
export function settingsOf(options: ExplainerOptions): Settings {
  const { method = 'gradcam', device = 'wasm' } = options
  if (!methods.includes(method)) throw new CairnError(`method "${method}"; ${methods.join(', ')} are allowed`)
  for (const [name, of] of Object.entries(own))
    if (options[name as keyof ExplainerOptions] !== undefined && !of.includes(method))
      throw new CairnError(`${name} is of no use with method ${method}; ${of.join(' and ')} take it`)
  const number = (name: keyof ExplainerOptions, least: number, fits: (value: number) => boolean, what: string) => {
    const value = options[name] as number | undefined
    if (value !== undefined && !(typeof value === 'number' && value >= least && fits(value)))
      throw new CairnError(`${name} ${value}; ${what} is allowed`)
    return value
  }
  for (const name of ['steps', 'samples', 'window', 'stride'] as const)
    number(name, 1, Number.isInteger, 'a whole number of at least 1')
  number('numThreads', 1, n => Number.isInteger(n) && n <= mostThreads, `a whole number from 1 to ${mostThreads}`)
  number('noise', 0, Number.isFinite, 'a number of at least 0')
  number('baseline', Number.NEGATIVE_INFINITY, Number.isFinite, 'a number')
  number('seed', 0, seed => Number.isInteger(seed) && seed < 2 ** 32, `a whole number from 0 to ${2 ** 32 - 1}`)
  if (!devices.includes(device)) throw new CairnError(`device "${device}"; ${devices.join(', ')} are allowed`)
  const { samples = 16, noise = 0.15, seed = 0, baseline = 0, numThreads = 1 } = options
  return { ...options, method, device, samples, noise, seed, baseline, numThreads }
}
