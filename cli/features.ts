import { mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type FeatureLayer, FeatureMaps, firstFilters, type LayerFindings } from '../explain/index.js'
import type { Picture, Tensor } from '../runtime/tensor/index.js'
import { askForWide, deviceOptions, openDevice } from './device/index.js'
import {
  type Asked,
  askedIn,
  correlationSheet,
  featureFlags,
  featuresHtml,
  filterSheet,
  findingsOf,
  findingsText,
  inverted,
  loudest,
  type Made,
  mapSheet,
  maximised,
  patchSheet,
  type Section,
  type Subject,
  subjectOf,
  unitsMade,
  unitsShown
} from './features/index.js'
import { about, givenOf, givenOptions, readModel, withGiven, writeWhole } from './model/index.js'
import { imageOptions, pictureReader, pngOf, preparationOf } from './pictures/index.js'
import { type Command, InputError, jsonOption, print, printJson } from './terminal/index.js'
import { openPictures } from './train/index.js'

/** `cairn features`: what the layers of a network see. */
export const features: Command = {
  name: 'features',
  usage: '<model>',
  summary: 'Show what layers see: filters, feature maps, what excites units, and what a folder tells of each layer.',
  options: [
    ...featureFlags,
    ...imageOptions,
    ...givenOptions,
    { ...deviceOptions[0], help: 'wasm, webgpu, reference, or auto: the faster of wasm and webgpu (default wasm)' },
    ...deviceOptions.slice(1),
    jsonOption
  ],
  examples: [
    'squeezenet.onnx --image cat.jpg --data photos -o squeezenet.html',
    'squeezenet.onnx --image cat.jpg --layer Relu_8 -o maps.png',
    'squeezenet.onnx --layer Conv_62 --units 207,281 --maximise'
  ],

  async run([path], flags) {
    const asked = askedIn(flags)
    const prepare = preparationOf(flags)
    const model = withGiven(readModel(path), givenOf(flags))
    const device = flags.text('device') && flags.choice('device', ['wasm', 'webgpu', 'reference', 'auto'], 'wasm')
    const picture = asked.image === undefined ? undefined : (await pictureReader([asked.image]))(asked.image)
    const folder = asked.data === undefined ? undefined : await openPictures(asked.data)
    if (folder) process.once('exit', folder.cleanUp)
    const wanted = { prepare, first: picture ?? folder?.pictures.read(0), device, threads: flags.whole('threads') }
    const subject = await subjectOf(model, wanted)
    askForWide(flags)
    if (device) await openDevice(device)
    const names = folder?.pictures.names
    const read = (index: number) => subject.input(folder!.pictures.read(index))
    const image = picture && subject.input(picture)
    const seen = remembered((index: number) => subject.seen(read(index)))
    const found = await about(path, () => look(subject, asked, image, names && { names, input: read }))
    const sections = await about(path, () => sectionsOf(subject, asked, found, image, seen))

    if (asked.isSheet) {
      const [{ picture: sheet }] = sections.maps
      writeWhole(asked.output, pngOf(sheet))
      return flags.has('json') ? printJson({ model: path, layer: asked.layers![0], output: asked.output }) : print(`wrote ${asked.output}`)
    }
    const facts: [string, string][] = [['model', path]]
    if (asked.image !== undefined) facts.push(['image', asked.image])
    if (names) facts.push(['folder', `${asked.data}, ${names.length} pictures`])
    facts.push(['input', subject.dims.join('×')], ['layers', String(found.layers.length)])
    const { findings } = found
    const report = featuresHtml({ title: `What ${basename(path)} sees`, facts, findings, sections: sections.all })
    writeWhole(asked.output, Buffer.from(report))
    const files = asked.sheets === undefined ? [] : writeSheets(asked.sheets, sections.all)
    if (flags.has('json')) return printJson(told(path, asked, found, sections, files))
    for (const line of findingsText(findings ?? [])) print(line)
    print(`wrote ${[asked.output, ...files].join(', ')}`)
  }
}

/** What layers make of the image, and what the folder tells of them. */
interface Found {
  readonly layers: readonly FeatureLayer[]
  /** Those that are shown, by their numbers. */
  readonly shown: readonly number[]
  readonly maps: readonly Float32Array[] | undefined
  readonly findings: readonly LayerFindings[] | undefined
}

async function look(
  { bytes, dims, options }: Subject,
  { layers: named, shown: most, seed }: Asked,
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
    return {
      ...{ layers, shown },
      maps: image && (await maps.run(image)).map(({ data }) => data),
      findings: folder && (await findingsOf(maps, folder, seed))
    }
  } finally {
    await maps.release()
  }
}

interface Sections {
  readonly all: readonly Section[]
  readonly maps: Section['shown']
  readonly maximised: readonly Made[]
  readonly inverted: readonly Made[]
}

async function sectionsOf(
  subject: Subject,
  asked: Asked,
  { layers, shown, maps, findings }: Found,
  image: Tensor | undefined,
  pictureSeen: (index: number) => Picture
): Promise<Sections> {
  const units = (i: number, most: number): readonly number[] => {
    const { name, units: count } = layers[i]
    const wrong = asked.units?.find(unit => unit >= count)
    if (wrong !== undefined) throw new InputError(`--units ${wrong}: layer "${name}" has units 0 to ${count - 1}`)
    if (asked.units) return asked.units
    return findings ? loudest(findings[i], most) : Array.from({ length: Math.min(most, count) }, (_, k) => k)
  }
  const filters = asked.isSheet ? undefined : firstFilters(subject.bytes, subject.dims, subject.options)
  const last = shown.at(-1)!
  const made = asked.maximise ? await maximised(subject, layers[last], units(last, unitsMade), asked) : []
  const kept = asked.invert ? await inverted(subject, shown.map(i => layers[i]), image!, asked) : []
  const mapsOf = (maps ? shown : []).map(i => {
    const { name, units: count, height, width } = layers[i]
    const picture = mapSheet(layers[i], maps![i], asked.maps)
    const caption =
      height * width === 1
        ? `${count} units, row by row`
        : `${Math.min(count, asked.maps)} of ${count} maps of ${height}×${width}`
    return { title: name, caption, picture }
  })
  const ofFolder = <T>(make: (found: LayerFindings, i: number) => T) => (findings ? shown : []).map(i => make(findings![i], i))
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

/** One picture excites many units. */
function remembered(make: (index: number) => Picture): (index: number) => Picture {
  const made = new Map<number, Picture>()
  return index => {
    if (!made.has(index)) made.set(index, make(index))
    return made.get(index)!
  }
}

/** A file a picture, named by its section and itself. */
function writeSheets(folder: string, sections: readonly Section[]): string[] {
  mkdirSync(folder, { recursive: true })
  const plain = (text: string) => text.replace(/[^\w.-]+/g, '-')
  return sections.flatMap(({ title, shown }) =>
    shown.map(each => {
      const file = join(folder, `${plain(title).toLowerCase()}-${plain(each.title)}.png`)
      writeWhole(file, pngOf(each.picture))
      return file
    })
  )
}

function told(
  model: string,
  { output, image, data }: Asked,
  { layers, findings }: Found,
  { maximised, inverted }: Sections,
  sheets: readonly string[]
) {
  const made = ({ title, value }: Made) => ({ title, value })
  return {
    ...{ model, output, image, data, sheets, layers },
    findings: findings?.map(({ layer, sparsity, dead, correlation: { mean, largest }, strongest }) => ({
      ...{ layer: layer.name, sparsity, dead, correlation: { mean, largest }, strongest }
    })),
    maximised: maximised.map(made),
    inverted: inverted.map(made)
  }
}
