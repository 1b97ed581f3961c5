import { extname } from 'node:path'
import { type Flags, type Option, UsageError } from '../terminal/index.js'

/** What the flags of `cairn features` ask for, and what it does without them. */
const [mostMaps, mostLayers, mostUnits, mostMade] = [64, 6, 8, 4]

export const featureFlags: readonly Option[] = [
  { flag: '--image', value: 'FILE', help: 'the picture whose feature maps are shown' },
  {
    flag: '--data',
    value: 'DIR',
    help: 'a folder of images: the nine patches that excite a unit most, silent and dead units, correlations'
  },
  {
    flag: '--layer',
    value: 'NAME',
    help: `a node or value to show, as often as needed, or all (default ${mostLayers} of the layers with weights)`
  },
  { flag: '--units', value: 'LIST', help: 'channels to look at, such as 3,17 (default those with the most to say)' },
  { flag: '--maximise', help: 'make the pictures that excite these units most, of the last layer that is shown' },
  { flag: '--invert', help: 'make pictures that each shown layer cannot tell from the image' },
  { flag: '--steps', value: 'N', help: 'of each picture that is made (default 128, of inversions 256)' },
  { flag: '--jitter', value: 'N', help: 'pixels that it is moved by at random (default a 28th of its side)' },
  {
    flag: '--blur',
    value: 'X',
    help: 'deviation in pixels of the blur of its first steps (default a 56th of its side)'
  },
  { flag: '--seed', value: 'N', help: 'of noise, and of the places whose elements are compared (default 0)' },
  { flag: '--maps', value: 'N', help: `maps and filters of a sheet at most (default ${mostMaps})` },
  { flag: '-o, --output', value: 'FILE', help: 'the report, or the maps of one layer as .png (default features.html)' },
  { flag: '--sheets', value: 'DIR', help: 'the pictures of the report as .png files, too' }
]

export interface Asked {
  readonly image: string | undefined
  readonly data: string | undefined
  /** Names of layers; undefined for those with weights, of which the report shows `shown`. */
  readonly layers: readonly string[] | undefined
  readonly shown: number
  readonly units: readonly number[] | undefined
  readonly maximise: boolean
  readonly invert: boolean
  readonly steps: number | undefined
  readonly jitter: number | undefined
  readonly blur: number | undefined
  readonly seed: number
  readonly maps: number
  readonly output: string
  /** Whether the output is a sheet of maps, not a report. */
  readonly isSheet: boolean
  readonly sheets: string | undefined
}

/** Throws UsageError for what does not go together. */
export function askedIn(flags: Flags): Asked {
  const [image, data] = [flags.text('image'), flags.text('data')]
  const named = flags.all('layer')
  const isAll = named.includes('all')
  const output = flags.text('output') ?? 'features.html'
  const isSheet = extname(output).toLowerCase() === '.png'
  if (!isSheet && extname(output).toLowerCase() !== '.html')
    throw new UsageError(`-o ${output}: a name that ends in .html, or in .png for the maps of one layer, is allowed`)
  const [maximise, invert] = [flags.has('maximise'), flags.has('invert')]
  if (image === undefined && invert) throw new UsageError('--invert needs --image FILE, the picture that layers see')
  if (isSheet) {
    if (image === undefined) throw new UsageError(`-o ${output} needs --image FILE, whose maps it shows`)
    if (named.length !== 1 || isAll)
      throw new UsageError(`-o ${output}: a .png shows one layer; --layer NAME says which`)
    flags.refuse(['data', 'units', 'maximise', 'invert', 'sheets'], `with -o ${output}; a report has them`)
  }
  if (!maximise && !invert) flags.refuse(['steps', 'jitter', 'blur'], 'without --maximise or --invert')
  if (!maximise && data === undefined) flags.refuse(['units'], 'without --data or --maximise')
  if (!maximise && !invert && data === undefined) flags.refuse(['seed'], 'without --data, --maximise or --invert')
  if (isAll && named.length > 1)
    throw new UsageError('--layer all is every layer; no other --layer is allowed beside it')
  const units = flags.numbers('units')
  if (units?.some(unit => !Number.isInteger(unit) || unit < 0))
    throw new UsageError(`--units ${flags.text('units')}: whole numbers from 0, such as 3,17, are allowed`)
  const maps = flags.whole('maps') ?? mostMaps
  if (maps < 1) throw new UsageError('--maps 0: a whole number of at least 1 is allowed')
  return {
    ...{ image, data, units, maximise, invert, output, isSheet, maps, sheets: flags.text('sheets') },
    ...{ steps: flags.whole('steps'), jitter: flags.whole('jitter', 0), blur: flags.number('blur') },
    ...{ seed: flags.whole('seed', 0) ?? 0, shown: isAll ? Number.POSITIVE_INFINITY : mostLayers },
    layers: named.length && !isAll ? named : undefined
  }
}

/** Units that are looked at where none are named, and those that pictures are made for. */
export const unitsShown = mostUnits
export const unitsMade = mostMade
