import { Breath, CairnError } from '../runtime/base/index.js'
import type { InferenceSession } from '../runtime/index.js'
import { copyFloats, fromFloats } from '../runtime/tensor/index.js'
import type { Explanation } from './explanation.js'
import { pixelsOf } from './maps.js'
import type { ExplainOptions, Settings } from './options.js'

/** Covered pictures that run at once, where the model leaves its batch free. */
const batch = 8

/**
 * What a score loses while a square of the input is covered, position by position (Zeiler and Fergus, section 4.2). It needs runs
 * alone, so any session will do: as many pictures at once as its batch takes, else one by one.
 */
export async function occlude(
  session: InferenceSession,
  input: Float32Array,
  dims: readonly number[],
  settings: Settings,
  options: ExplainOptions
): Promise<Explanation> {
  const { method, baseline, output = session.outputNames[0] } = settings
  if (!session.outputNames.includes(output))
    throw new CairnError(
      `no output "${output}"; ${session.outputNames.map(name => `"${name}"`).join(', ')} are allowed`
    )
  const [port] = session.inputMetadata
  const { channels, height, width, channel, pixel } = pixelsOf(dims)
  const { window = Math.ceil(Math.min(height, width) / 6) } = settings
  const { stride = Math.ceil(window / 2) } = settings
  if (window > Math.min(height, width))
    throw new CairnError(`window ${window}; 1 to ${Math.min(height, width)} pixels are allowed`)
  if (stride > window)
    throw new CairnError(`stride ${stride} leaves pixels out; 1 to ${window}, the window, is allowed`)
  const [tops, lefts] = [height, width].map(side => positions(side, window, stride))

  const scoresOf = async (pictures: readonly Float32Array[]): Promise<Float32Array[]> => {
    const all = new Float32Array(pictures.length * input.length)
    pictures.forEach((picture, i) => {
      all.set(picture, i * input.length)
    })
    const feed = fromFloats(port.type, all, [pictures.length, ...dims.slice(1)])
    const results = await session.run({ [port.name]: feed }, { signal: options.signal })
    const scores = copyFloats(results[output])
    const each = scores.length / pictures.length
    return pictures.map((_, i) => scores.subarray(i * each, (i + 1) * each))
  }
  const [plain] = await scoresOf([input])
  const top = options.class ?? plain.reduce((best, score, i) => (score > plain[best] ? i : best), 0)
  if (!(Number.isInteger(top) && top >= 0 && top < plain.length))
    throw new CairnError(`class ${top}; the model has scores of 0 to ${plain.length - 1}`)

  const covered = (position: number): Float32Array => {
    const picture = input.slice()
    const [y0, x0] = [tops[Math.floor(position / lefts.length)], lefts[position % lefts.length]]
    for (let y = y0; y < y0 + window; y++)
      for (let x = x0; x < x0 + window; x++)
        for (let c = 0; c < channels; c++) picture[(y * width + x) * pixel + c * channel] = baseline
    return picture
  }
  const drops = new Float32Array(tops.length * lefts.length)
  const breath = new Breath()
  const atOnce = typeof port.shape[0] === 'number' ? 1 : batch
  for (let from = 0; from < drops.length; from += atOnce) {
    await breath.take()
    options.signal?.throwIfAborted()
    const some = Array.from({ length: Math.min(atOnce, drops.length - from) }, (_, i) => covered(from + i))
    const scores = await scoresOf(some)
    scores.forEach((row, i) => {
      drops[from + i] = plain[top] - row[top]
    })
    options.onRun?.(from + some.length, drops.length)
  }
  const map = { data: spread(drops, tops, lefts, window, height, width), width, height }
  const attribution = { data: drops, dims: [tops.length, lefts.length] }
  return { method, class: top, score: plain[top], scores: plain, map, attribution }
}

/** Where windows begin: every `stride` pixels, and one that ends with the side. */
function positions(side: number, window: number, stride: number): number[] {
  const last = side - window
  const all = Array.from({ length: Math.floor(last / stride) + 1 }, (_, i) => i * stride)
  return last % stride ? [...all, last] : all
}

/** To each pixel the mean of the windows that cover it, where that is positive. */
function spread(
  drops: Float32Array,
  tops: readonly number[],
  lefts: readonly number[],
  window: number,
  height: number,
  width: number
): Float32Array {
  const [sums, counts] = [new Float64Array(height * width), new Float64Array(height * width)]
  drops.forEach((drop, i) => {
    const [top, left] = [tops[Math.floor(i / lefts.length)], lefts[i % lefts.length]]
    for (let y = top; y < top + window; y++)
      for (let x = left; x < left + window; x++) {
        sums[y * width + x] += drop
        counts[y * width + x]++
      }
  })
  return Float32Array.from(sums, (sum, i) => Math.max(sum / counts[i], 0))
}
