import type { Program } from '../../runtime/file/index.js'
import { CompileError } from '../errors.js'
import type { Graph } from '../graph/index.js'
import { Deviation } from './measure.js'
import { drawnInput, generator, type PictureRange, pictureRanges, roundedOtherwise, takesPictures } from './scene.js'
import type { Feed, Open, Running } from './session.js'

/** Free dimensions of drawn inputs, but for batches. */
const usualSize = 224

/** Calibration data where there is none: drawn scenes, in the range in which rounding matters least, which is the one that nets take. */
export async function drawnFeeds(graph: Graph, count: number, float: Running, open: Open): Promise<Feed[]> {
  const draw = (seed: number, range: PictureRange): Feed =>
    Object.fromEntries(
      graph.inputs.map((input, i) => {
        const dims = input.shape.map((dim, axis) => (typeof dim === 'number' ? dim : axis ? usualSize : 1))
        return [input.name, { dims, data: drawnInput(input, dims, seed + i * count, range) }]
      })
    )
  let best: PictureRange = pictureRanges[0]
  if (graph.inputs.some(takesPictures)) {
    const twin = await open((program: Program) => roundedOtherwise(program, generator(1)))
    let least = Number.POSITIVE_INFINITY
    for (const range of pictureRanges) {
      const change = await difference(float, twin, draw(1, range))
      if (change < least) [best, least] = [range, change]
    }
    await twin.release()
  }
  return Array.from({ length: count }, (_, i) => draw(i + 1, best))
}

/** Outputs that do not react at all are saturated, and say nothing. */
async function difference(a: Running, b: Running, feed: Feed): Promise<number> {
  const [left, right] = [await a.run(feed), await b.run(feed)]
  const changes = left.map(({ data }, i) => {
    const deviation = new Deviation()
    deviation.add(data, right[i].data)
    return deviation.relative || Number.POSITIVE_INFINITY
  })
  return Math.max(...changes)
}

/** What can be read several times: what gives its feeds only once is kept. Throws CompileError for what is no list of feeds. */
export async function repeatable(
  feeds: Iterable<Feed> | AsyncIterable<Feed>,
  { inputs }: Graph
): Promise<Iterable<Feed>> {
  if (typeof feeds === 'object' && feeds !== null && !ArrayBuffer.isView(feeds)) {
    if (Symbol.asyncIterator in feeds) {
      const kept: Feed[] = []
      for await (const feed of feeds) kept.push(feed)
      return kept
    }
    if (Symbol.iterator in feeds) return feeds[Symbol.iterator]() === (feeds as unknown) ? [...feeds] : feeds
  }
  const example = inputs.map(({ name }) => `${JSON.stringify(name)}: tensor`).join(', ')
  throw new CompileError(
    `calibrate is ${whatIs(feeds)}; a list of what each run is given is allowed, as [{ ${example} }], or a number of scenes`
  )
}

function whatIs(given: unknown): string {
  if (typeof given === 'string') return `the text "${given}"`
  if (typeof given !== 'object' || given === null) return String(given)
  if (ArrayBuffer.isView(given)) return `a ${given.constructor.name}`
  return 'dims' in given && 'data' in given ? 'one tensor' : 'one object'
}

/** At most `most` of `count` items, evenly spread over them. */
export function spread<T>(items: Iterable<T>, count: number, most: number): T[] {
  const step = Math.max(count / most, 1)
  const chosen: T[] = []
  let index = 0
  for (const item of items) if (index++ >= chosen.length * step) chosen.push(item)
  return chosen
}
