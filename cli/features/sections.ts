import { type FeatureLayer, FeatureMaps, firstFilters, type LayerFindings } from '../../explain/index.js'
import type { Picture, Tensor } from '../../runtime/tensor/index.js'
import { InputError } from '../terminal/index.js'
import { type Asked, unitsMade, unitsShown } from './asked.js'
import { findingsOf, loudest, patchSheet } from './folder.js'
import { inverted, type Made, maximised } from './making.js'
import type { Section } from './report.js'
import { correlationSheet, filterSheet, mapSheet } from './sheets.js'
import type { Subject } from './subject.js'

/** What is found out for a report, and its pictures. */

/** What layers make of the image, and what the folder tells of them. */
export interface Found {
  readonly layers: readonly FeatureLayer[]
  /** Those that are shown, by their numbers. */
  readonly shown: readonly number[]
  readonly maps: readonly Float32Array[] | undefined
  readonly findings: readonly LayerFindings[] | undefined
}

export async function look(
  { bytes, dims, options }: Subject,
  { layers: named, shown: most, units, seed }: Asked,
  image: Tensor | undefined,
  folder: Parameters<typeof findingsOf>[1] | undefined
): Promise<Found> {
  const maps = await FeatureMaps.create(bytes, dims, { ...options, layers: named })
  try {
    const { layers } = maps
    const count = named ? layers.length : Math.min(most, layers.length)
    // Spread from the first to the last.
    const shown = Array.from({ length: count }, (_, i) =>
      count === 1 ? layers.length - 1 : Math.round((i * (layers.length - 1)) / (count - 1))
    )
    // A folder tells of all that are shown, pictures are made for the last.
    const looked = (folder ? shown : shown.slice(-1)).map(i => layers[i])
    refuseUnits(looked, units)
    return {
      ...{ layers, shown },
      maps: image && (await maps.run(image)).map(({ data }) => data),
      findings: folder && (await findingsOf(maps, folder, seed))
    }
  } finally {
    await maps.release()
  }
}

function refuseUnits(layers: readonly FeatureLayer[], asked: readonly number[] = []): void {
  for (const { name, units } of layers) {
    const wrong = asked.find(unit => unit >= units)
    if (wrong !== undefined) throw new InputError(`--units ${wrong}: layer "${name}" has units 0 to ${units - 1}`)
  }
}

export interface Sections {
  readonly all: readonly Section[]
  readonly maps: Section['shown']
  readonly maximised: readonly Made[]
  readonly inverted: readonly Made[]
}

export async function sectionsOf(
  subject: Subject,
  asked: Asked,
  { layers, shown, maps, findings }: Found,
  image: Tensor | undefined,
  pictureSeen: (index: number) => Picture
): Promise<Sections> {
  const units = (i: number, most: number): readonly number[] => {
    if (asked.units) return asked.units
    return findings ? loudest(findings[i], most) : Array.from({ length: Math.min(most, layers[i].units) }, (_, k) => k)
  }
  const filters = asked.isSheet ? undefined : firstFilters(subject.bytes, subject.dims, subject.options)
  const last = shown.at(-1)!
  const excited = asked.maximise ? units(last, unitsMade) : []
  if (asked.maximise && !excited.length)
    throw new InputError(
      `--maximise: every unit of layer "${layers[last].name}" is dead on --data; --units says which to take`
    )
  const made = excited.length ? await maximised(subject, layers[last], excited, asked) : []
  const kept = asked.invert
    ? await inverted(
        subject,
        shown.map(i => layers[i]),
        image!,
        asked
      )
    : []
  const mapsOf = (maps ? shown : []).map(i => {
    const { name, units: count, height, width } = layers[i]
    const picture = mapSheet(layers[i], maps![i], asked.maps)
    const caption =
      height * width === 1
        ? `${count} units, row by row`
        : `${Math.min(count, asked.maps)} of ${count} maps of ${height}×${width}`
    return { title: name, caption, picture }
  })
  const ofFolder = <T>(make: (found: LayerFindings, i: number) => T) =>
    (findings ? shown : []).map(i => make(findings![i], i))
  const patches = ofFolder((found, i) => {
    const seen = units(i, unitsShown)
    if (!seen.length) return []
    const picture = patchSheet(found, seen, pictureSeen)
    return [{ title: found.layer.name, caption: `units ${seen.join(', ')}, from above`, picture }]
  }).flat()
  const alike = ofFolder(({ layer, correlation: { matrix, units: list, mean } }) => ({
    title: layer.name,
    caption: `${list.length} units, mean |r| ${mean.toFixed(3)}`,
    picture: correlationSheet(matrix, list.length)
  }))
  const ofFilters = filters && {
    title: filters.name,
    caption: `${filters.dims[0]} filters of ${filters.dims.slice(1).join('×')}`,
    picture: filterSheet(filters, asked.maps)
  }
  const all: Section[] = [
    {
      title: 'First-layer filters',
      about: 'Each on a scale of its own. Smooth stripes and colours have been learnt, noise has not.',
      shown: ofFilters ? [ofFilters] : []
    },
    {
      title: 'Feature maps',
      about: `What layers make of ${asked.image}: each map from its least element, black, to its largest, white.`,
      shown: mapsOf
    },
    {
      title: 'What excites units',
      about: 'A row a unit: what it sees of the pictures where it says most, one place a picture, the strongest first.',
      shown: patches
    },
    {
      title: 'What units look for',
      about: 'Pictures that were made of noise, step by step, for a unit to say as much as it can.',
      shown: made
    },
    {
      title: 'What layers keep',
      about: 'Pictures that were made of noise for a layer to say the same as of the image.',
      shown: kept
    },
    {
      title: 'How alike units are',
      about: 'The correlation of each unit, across, with each, down: red is 1, white 0, blue −1.',
      shown: alike
    }
  ]
  return { all, maps: mapsOf, maximised: made, inverted: kept }
}
