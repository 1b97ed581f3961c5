import { basename, extname } from 'node:path'
import { build } from '../compiler/index.js'
import { decode } from '../runtime/file/index.js'
import { Tensor } from '../runtime/index.js'
import { FeatureIndex } from '../runtime/train/index.js'
import { Engine } from '../train/device/engine.js'
import { openBackbone } from '../train/network/open.js'
import { type Layout, mapHtml, neighbourhood, principal } from './embed/index.js'
import { about, encodeNpy, givenOf, givenOptions, importOf, readModel, withGiven, writeWhole } from './model/index.js'
import { imageOptions, imagePort, preparationOf } from './pictures/index.js'
import { type Command, InputError, jsonOption, Progress, print, printJson, UsageError } from './terminal/index.js'
import { openPictures, PictureDataset, thumbnail } from './train/index.js'

/** `cairn embed`: what a network makes of pictures before its last layer, to compare them by. */
export const embed: Command = {
  name: 'embed',
  usage: '<model>',
  summary: 'Write the features of pictures as .npy, with nearest neighbours and a map of them.',
  options: [
    { flag: '--data', value: 'DIR', help: 'a folder of images, or what else cairn train reads' },
    { flag: '-o, --output', value: 'F.npy', help: 'the features, one row a picture (default features.npy)' },
    {
      flag: '--cut',
      value: 'NODE',
      help: 'the node whose output are the features (default: in front of the last layer)'
    },
    { flag: '--neighbours', value: 'K', help: 'the K nearest of each picture by cosine (default 3)' },
    { flag: '--map', value: 'F.html', help: 'a page with the pictures where their principal components put them' },
    { flag: '--umap', help: 'on that page also where UMAP puts them (needs the package umap-js)' },
    ...givenOptions,
    ...imageOptions,
    jsonOption
  ],
  examples: ['mobilenet_v2.onnx --data photos --mean .5 --std .5 -o features.npy --map map.html'],

  async run([path], flags) {
    const data = flags.text('data')
    if (data === undefined) throw new UsageError('--data DIR is missing: a folder of images')
    const output = flags.text('output') ?? 'features.npy'
    if (extname(output) !== '.npy') throw new UsageError(`-o ${output}: a name that ends in .npy is allowed`)
    const count = flags.whole('neighbours') ?? 3
    const place = flags.text('map')
    if (place === undefined) flags.refuse(['umap'], 'without --map F.html, the page that it is for')
    const prepare = preparationOf(flags)
    const model = withGiven(readModel(path), givenOf(flags))
    const imported = importOf(model)
    const header = () => (model.kind === 'cairn' ? decode(model.bytes).header : build(model.bytes, imported).program)
    const port = await about(path, () => imagePort(header(), prepare.layout))
    const { pictures, leftOut, cleanUp } = await openPictures(data)
    process.once('exit', cleanUp)
    if (!flags.has('json')) leftOut.print(data)
    if (place !== undefined && pictures.labels.length < 3)
      throw new InputError(`--map: ${pictures.labels.length} pictures; at least three are needed`)
    const dataset = new PictureDataset(pictures, port, prepare, '')
    const { engine, cut } = await about(path, async () => {
      const backbone = openBackbone(model.bytes, imported)
      const cut = backbone.findCut({ ...imported, cut: flags.text('cut') })
      return { cut, engine: await Engine.open(backbone.frozen(undefined, cut.features, true), 'wasm', 1) }
    })
    const progress = new Progress(pictures.labels.length)
    const vectors: Float32Array[] = []
    for (let i = 0; i < pictures.labels.length; i++) {
      const [features] = await about(path, () => engine.runSingle(dataset.input(i, undefined)))
      vectors.push(Float32Array.from(features))
      progress.step(i + 1, pictures.names[i])
    }
    progress.stop()
    await engine.release()
    const size = vectors[0].length
    const rows = new Float32Array(size * vectors.length)
    vectors.forEach((vector, i) => {
      rows.set(vector, i * size)
    })
    writeWhole(output, encodeNpy(new Tensor('float32', rows, [vectors.length, size])))
    const index = new FeatureIndex(size)
    vectors.forEach((vector, i) => {
      index.add(vector, pictures.labels[i])
    })
    const neighbours = vectors.map((vector, i) =>
      index
        .nearest(vector, count + 1)
        .filter(each => each.index !== i)
        .slice(0, count)
    )
    if (place !== undefined) {
      const places = vectors.map((_, i) => ({
        ...{ name: pictures.names[i], label: pictures.classes[pictures.labels[i]] },
        picture: thumbnail(dataset.picture(i, undefined), 48),
        near: neighbours[i].map(each => [each.index, 1 - each.distance] as const)
      }))
      const layouts = await layoutsOf(vectors, flags.has('umap'))
      writeWhole(place, Buffer.from(mapHtml(`Features "${cut.features}" of ${basename(path)}`, places, layouts)))
    }
    const named = (i: number) => ({ image: pictures.names[i], label: pictures.classes[pictures.labels[i]] })
    if (flags.has('json'))
      return printJson({
        model: path,
        output,
        features: cut.features,
        shape: [vectors.length, size],
        map: place,
        leftOut: leftOut.list(),
        neighbours: neighbours.map((list, i) => ({
          ...named(i),
          nearest: list.map(each => ({ ...named(each.index), cosine: 1 - each.distance }))
        }))
      })
    for (const [i, list] of neighbours.entries()) {
      const shown = list.map(each => `  ${(1 - each.distance).toFixed(3)}  ${pictures.names[each.index]}`)
      print([pictures.names[i], ...shown].join('\n'))
    }
    print(`wrote ${output}: ${vectors.length} pictures, ${size} features each, from "${cut.features}"`)
    if (place !== undefined) print(`wrote ${place}`)
  }
}

/** Principal components, and in front of them UMAP where it is asked for. */
async function layoutsOf(vectors: readonly Float32Array[], withUmap: boolean): Promise<Layout[]> {
  const { points, shares } = principal(vectors)
  const [first, second] = shares.map(share => `${(100 * share).toFixed(1)} %`)
  const layouts: Layout[] = [
    {
      name: 'principal components',
      about: `${points.length} pictures where the two first principal components of their features put them: ${first} of the variance across, ${second} down.`,
      points
    }
  ]
  if (!withUmap) return layouts
  const progress = new Progress(1)
  const near = await neighbourhood(vectors, (done, total) => progress.step(done / total, 'UMAP')).finally(() =>
    progress.stop()
  )
  const about = `${points.length} pictures where UMAP puts them: what is near by cosine stays near; distances across the map say little.`
  return [{ name: 'UMAP', about, points: near }, ...layouts]
}
