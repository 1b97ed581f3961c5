import { mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Picture } from '../../runtime/tensor/index.js'
import { gradientDevice, gradientOptions } from '../device/index.js'
import { about, givenOf, givenOptions, readModel, withGiven, writeWhole } from '../model/index.js'
import { imageOptions, pictureReader, pngOf, preparationOf } from '../pictures/index.js'
import { type Command, jsonOption, print, printJson } from '../terminal/index.js'
import { openPictures } from '../train/index.js'
import { type Asked, askedIn, featureFlags } from './asked.js'
import type { Made } from './making.js'
import { featuresHtml, findingsText, type Section } from './report.js'
import { type Found, look, type Sections, sectionsOf } from './sections.js'
import { subjectOf } from './subject.js'

/** `cairn features`: what the layers of a network see. */
export const features: Command = {
  name: 'features',
  usage: '<model>',
  summary: 'Show what layers see: filters, feature maps, what excites units, and what a folder tells of each layer.',
  options: [...featureFlags, ...imageOptions, ...givenOptions, ...gradientOptions, jsonOption],
  examples: [
    'squeezenet.onnx --image cat.jpg --data photos -o squeezenet.html',
    'squeezenet.onnx --image cat.jpg --layer Relu_8 -o maps.png',
    'squeezenet.onnx --layer Conv_62 --units 207,281 --maximise'
  ],

  async run([path], flags) {
    const asked = askedIn(flags)
    const prepare = preparationOf(flags)
    const model = withGiven(readModel(path), givenOf(flags))
    const picture = asked.image === undefined ? undefined : (await pictureReader([asked.image]))(asked.image)
    const folder = asked.data === undefined ? undefined : await openPictures(asked.data)
    if (folder) process.once('exit', folder.cleanUp)
    if (!flags.has('json')) folder?.leftOut.print(asked.data!)
    const device = await gradientDevice(flags)
    const wanted = { prepare, first: picture ?? folder?.pictures.read(0), device, threads: flags.whole('threads') }
    const subject = await subjectOf(model, wanted)
    const names = folder?.pictures.names
    const read = (index: number) => subject.input(folder!.pictures.read(index))
    const image = picture && subject.input(picture)
    const seen = remembered((index: number) => subject.seen(read(index)))
    const found = await about(path, () => look(subject, asked, image, names && { names, input: read }))
    const sections = await about(path, () => sectionsOf(subject, asked, found, image, seen))

    if (asked.isSheet) {
      const [{ picture: sheet }] = sections.maps
      writeWhole(asked.output, pngOf(sheet))
      return flags.has('json')
        ? printJson({ model: path, layer: asked.layers![0], output: asked.output })
        : print(`wrote ${asked.output}`)
    }
    const facts: [string, string][] = [['model', path]]
    if (asked.image !== undefined) facts.push(['image', asked.image])
    if (names) facts.push(['folder', `${asked.data}, ${names.length} pictures`])
    facts.push(['input', subject.dims.join('×')], ['layers', String(found.layers.length)])
    const { findings } = found
    const report = featuresHtml({ title: `What ${basename(path)} sees`, facts, findings, sections: sections.all })
    writeWhole(asked.output, Buffer.from(report))
    const files = asked.sheets === undefined ? [] : writeSheets(asked.sheets, sections.all)
    if (flags.has('json'))
      return printJson({ ...told(path, asked, found, sections, files, names ?? []), leftOut: folder?.leftOut.list() })
    for (const line of findingsText(findings ?? [])) print(line)
    print(`wrote ${[asked.output, ...files].join(', ')}`)
  }
}

/** One picture excites many units. */
function remembered(make: (index: number) => Picture): (index: number) => Picture {
  const made = new Map<number, Picture>()
  return index => {
    if (!made.has(index)) made.set(index, make(index))
    return made.get(index)!
  }
}

/** Letters of a title in a file's name at most. */
const mostLetters = 60

/** A file a picture, named by its number, its section and itself. */
function writeSheets(folder: string, sections: readonly Section[]): string[] {
  mkdirSync(folder, { recursive: true })
  const plain = (text: string) => text.replace(/[^\w.-]+/g, '-').slice(0, mostLetters)
  let count = 0
  return sections.flatMap(({ title, shown }) =>
    shown.map(each => {
      const number = String(++count).padStart(3, '0')
      const file = join(folder, `${number}-${plain(title).toLowerCase()}-${plain(each.title)}.png`)
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
  sheets: readonly string[],
  names: readonly string[]
) {
  const made = ({ title, value }: Made) => ({ title, value })
  return {
    ...{ model, output, image, data, sheets, layers },
    findings: findings?.map(({ layer, sparsity, dead, correlation: { mean, largest }, strongest }) => ({
      ...{ layer: layer.name, sparsity, dead, correlation: { mean, largest } },
      strongest: strongest.map(all => all.map(({ picture, ...place }) => ({ image: names[picture], ...place })))
    })),
    maximised: maximised.map(made),
    inverted: inverted.map(made)
  }
}
