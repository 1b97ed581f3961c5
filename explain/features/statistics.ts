import { CairnError } from '../../runtime/base/index.js'
import { Random } from '../../runtime/train/index.js'
import type { Attribution } from '../explanation.js'
import type { SeenRegion } from '../heat.js'
import type { FeatureLayer } from './feature-maps.js'
import { checked } from './feature-options.js'

/** Where a unit was excited. */
export interface Excitement {
  /** The picture, as `add` has numbered it. */
  readonly picture: number
  /** What the unit said. */
  readonly value: number
  /** Row of the map. */
  readonly row: number
  /** Column of the map. */
  readonly column: number
}

/** How alike the units of a layer are, over places of pictures that are drawn at random. */
export interface Correlation {
  /** The units that were compared, all of them where there are not too many. */
  readonly units: readonly number[]
  /** Pearson's r of each pair, row by row; 0 with a unit that always says the same. */
  readonly matrix: Float32Array
  /** The mean of |r| over all pairs. */
  readonly mean: number
  /** The pair that is most alike. */
  readonly largest:
    | {
        /** Their numbers in the layer. */
        readonly units: readonly [number, number]
        /** Their Pearson's r. */
        readonly r: number
      }
    | undefined
}

/** What pictures tell of a layer. */
export interface LayerFindings {
  /** The layer. */
  readonly layer: FeatureLayer
  /** Share of all elements that are not above 0. */
  readonly sparsity: number
  /** Units that said the same of every place of every picture: most often 0, behind a rectifier. */
  readonly dead: readonly number[]
  /** How alike its units are. */
  readonly correlation: Correlation
  /** Of each unit where it was excited most, one place a picture, the strongest first. */
  readonly strongest: readonly (readonly Excitement[])[]
}

/** How pictures are counted. */
export interface StatisticsOptions {
  /** Pictures that are kept of each unit; default 9. */
  readonly strongest?: number
  /** Places of a picture whose elements are compared between units; default 16. */
  readonly places?: number
  /** Of those places; default 0. */
  readonly seed?: number
}

/** Units that are compared with each other, at most: the first ones. */
const mostCompared = 256

interface Tally {
  positive: number
  count: number
  readonly least: Float32Array
  readonly largest: Float32Array
  readonly strongest: Excitement[][]
  /** Of the units that are compared: sums, and sums of products, of what they said at the drawn places. */
  readonly compared: number
  readonly sums: Float64Array
  readonly products: Float64Array
  drawn: number
}

/** Sparsity, dead units, correlations and the pictures that excite units most, gathered picture by picture. */
export class LayerStatistics {
  private readonly tallies: readonly Tally[]
  private readonly random: Random
  private readonly kept: number
  private readonly places: number

  /** `layers` are those of a `FeatureMaps`. */
  constructor(
    private readonly layers: readonly FeatureLayer[],
    { strongest = 9, places = 16, seed = 0 }: StatisticsOptions = {}
  ) {
    const isCount = (n: number) => Number.isInteger(n) && n >= 1
    this.kept = checked('strongest', strongest, isCount, 'a whole number of at least 1')
    this.places = checked('places', places, isCount, 'a whole number of at least 1')
    this.random = new Random(seed)
    this.tallies = layers.map(({ units }) => {
      const compared = Math.min(units, mostCompared)
      return {
        ...{ positive: 0, count: 0, compared, drawn: 0 },
        least: new Float32Array(units).fill(Number.POSITIVE_INFINITY),
        largest: new Float32Array(units).fill(Number.NEGATIVE_INFINITY),
        strongest: Array.from({ length: units }, () => []),
        sums: new Float64Array(compared),
        products: new Float64Array(compared * compared)
      }
    })
  }

  /** Takes in what `FeatureMaps.run` makes of a picture, which `picture` names in what is found. */
  add(maps: readonly Attribution[], picture: number): void {
    if (maps.length !== this.layers.length)
      throw new CairnError(`maps of ${maps.length} layers; those of ${this.layers.length} are counted`)
    for (const [i, { data }] of maps.entries()) {
      const { units, height, width } = this.layers[i]
      const size = height * width
      if (data.length !== units * size)
        throw new CairnError(`${data.length} elements of "${this.layers[i].name}", which has ${units * size}`)
      this.count(this.tallies[i], data, size, width, picture)
      this.compare(this.tallies[i], data, size)
    }
  }

  private count(tally: Tally, data: Float32Array, size: number, width: number, picture: number): void {
    tally.count += data.length
    for (const [unit, list] of tally.strongest.entries()) {
      let [at, value, least] = [0, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
      for (let i = 0; i < size; i++) {
        const element = data[unit * size + i]
        if (element > 0) tally.positive++
        if (element < least) least = element
        if (element > value) [at, value] = [i, element]
      }
      tally.least[unit] = Math.min(tally.least[unit], least)
      tally.largest[unit] = Math.max(tally.largest[unit], value)
      if (list.length === this.kept && !(value > list[this.kept - 1].value)) continue
      const before = list.findIndex(each => each.value < value)
      const made = { picture, value, row: Math.floor(at / width), column: at % width }
      list.splice(before < 0 ? list.length : before, 0, made)
      if (list.length > this.kept) list.pop()
    }
  }

  private compare(tally: Tally, data: Float32Array, size: number): void {
    const { compared, sums, products } = tally
    const all = size <= this.places
    for (let k = 0; k < Math.min(size, this.places); k++) {
      const place = all ? k : this.random.whole(size)
      for (let a = 0; a < compared; a++) {
        const x = data[a * size + place]
        sums[a] += x
        if (x === 0) continue
        for (let b = a; b < compared; b++) products[a * compared + b] += x * data[b * size + place]
      }
      tally.drawn++
    }
  }

  /** What the pictures so far tell, layer by layer. Throws CairnError where there was none. */
  findings(): LayerFindings[] {
    return this.tallies.map((tally, i) => {
      if (!tally.count) throw new CairnError('there was no picture to tell anything of the layers')
      const layer = this.layers[i]
      const dead = Array.from({ length: layer.units }, (_, unit) => unit).filter(
        unit => tally.least[unit] === tally.largest[unit]
      )
      const sparsity = 1 - tally.positive / tally.count
      return {
        layer,
        sparsity,
        dead,
        correlation: correlated(tally),
        strongest: tally.strongest.map(list => [...list])
      }
    })
  }
}

function correlated({ compared, sums, products, drawn }: Tally): Correlation {
  const matrix = new Float32Array(compared * compared)
  const covariance = (a: number, b: number) => products[a * compared + b] - (sums[a] * sums[b]) / drawn
  const variances = Array.from({ length: compared }, (_, a) => {
    const variance = covariance(a, a)
    // What is left of a constant's squares is rounding.
    return variance > 1e-9 * products[a * compared + a] ? variance : 0
  })
  let [sum, pairs] = [0, 0]
  let largest: Correlation['largest']
  for (let a = 0; a < compared; a++) {
    matrix[a * compared + a] = variances[a] ? 1 : 0
    for (let b = a + 1; b < compared; b++) {
      const scale = Math.sqrt(variances[a] * variances[b])
      const r = scale ? Math.min(Math.max(covariance(a, b) / scale, -1), 1) : 0
      matrix[a * compared + b] = matrix[b * compared + a] = r
      sum += Math.abs(r)
      pairs++
      if (scale && Math.abs(r) > Math.abs(largest?.r ?? 0)) largest = { units: [a, b], r }
    }
  }
  return { units: Array.from({ length: compared }, (_, i) => i), matrix, mean: pairs ? sum / pairs : 0, largest }
}

/** The part of an input of `height` and `width` pixels that an element of a layer sees, moved inside of it where it reaches beyond. */
export function patchOf(
  { field }: FeatureLayer,
  { row, column }: Pick<Excitement, 'row' | 'column'>,
  height: number,
  width: number
): SeenRegion {
  if (!field) return { left: 0, top: 0, width, height }
  const { placement } = field
  const wide = Math.min(field.width, width)
  const high = Math.min(field.height, height)
  const x = (placement.left + column * placement.across) * width
  const y = (placement.top + row * placement.down) * height
  const inside = (start: number, size: number, all: number) => Math.min(Math.max(Math.round(start), 0), all - size)
  return { left: inside(x - wide / 2, wide, width), top: inside(y - high / 2, high, height), width: wide, height: high }
}
