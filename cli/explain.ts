import { basename, extname } from 'node:path'
import { importOnnx } from '../compiler/onnx/index.js'
import { foldConstants } from '../compiler/passes/index.js'
import { type ExplainerOptions, type Explanation, explain as explainModel, methods, overlay } from '../explain/index.js'
import type { Port } from '../runtime/file/index.js'
import { Tensor } from '../runtime/index.js'
import { resize } from '../runtime/tensor/index.js'
import { gradientDevice, gradientOptions } from './device/index.js'
import {
  about,
  decodeModel,
  encodeNpy,
  externalDataOf,
  givenOf,
  givenOptions,
  importOf,
  labelsOf,
  labelsOption,
  type ModelFile,
  namesFor,
  ownClasses,
  patched,
  patchOption,
  readModel,
  readPatch,
  withGiven,
  writeWhole
} from './model/index.js'
import {
  imageOptions,
  imagePort,
  imageTensor,
  pictureReader,
  pngOf,
  preparationOf,
  seenRegion
} from './pictures/index.js'
import {
  type Command,
  type Flags,
  InputError,
  jsonOption,
  Progress,
  print,
  printJson,
  printNotes,
  short,
  UsageError
} from './terminal/index.js'

/** `cairn explain`: why a network gives a picture its class, as a heat map over it. */
export const explain: Command = {
  name: 'explain',
  usage: '<model>',
  summary: 'Show where a network looks: a heat map over the picture, for its best class or another.',
  options: [
    { flag: '--image', value: 'FILE', help: 'the picture: JPEG, PNG, WebP, GIF, TIFF, BMP or AVIF' },
    { flag: '--class', value: 'N', help: 'number or name of the class that is explained (default the best one)' },
    { flag: '--method', value: 'NAME', help: `${methods.join(', ')} (default gradcam)` },
    { flag: '-o, --out', value: 'FILE', help: 'the heat map over the picture, a PNG (default IMAGE-METHOD.png)' },
    { flag: '--npy', value: 'FILE', help: 'the numbers behind the map: gradients by channel, or the map of a layer' },
    { flag: '--opacity', value: 'X', help: 'of the colours, 0 to 1 (default 0.6)' },
    {
      flag: '--layer',
      value: 'NAME',
      help: 'gradcam: the node or value whose maps are weighed (default the last ones)'
    },
    {
      flag: '--output-name',
      value: 'NAME',
      help: 'the output that holds the scores (default the first row of numbers)'
    },
    { flag: '--steps', value: 'N', help: 'integrated: steps (default as many as bring the sum within 1 %)' },
    { flag: '--samples', value: 'N', help: 'smoothgrad: noisy pictures (default 16)' },
    { flag: '--noise', value: 'X', help: "smoothgrad: deviation, as a share of the input's range (default 0.15)" },
    { flag: '--seed', value: 'N', help: 'smoothgrad: of the noise (default 0)' },
    { flag: '--window', value: 'N', help: 'occlusion: pixels a side that are covered (default a sixth of the input)' },
    { flag: '--stride', value: 'N', help: 'occlusion: pixels from one position to the next (default half the window)' },
    { flag: '--baseline', value: 'X', help: 'integrated, occlusion: the element that stands for nothing (default 0)' },
    ...imageOptions,
    labelsOption,
    patchOption,
    ...givenOptions,
    ...gradientOptions,
    jsonOption
  ],
  examples: [
    'mobilenet_v2.onnx --image cat.jpg --labels imagenet.txt -o why.png',
    'squeezenet.onnx --image cat.jpg --class 281 --method integrated',
    'mobilenet.cairn --image cat.jpg --method occlusion --window 48'
  ],

  async run([path], flags) {
    const [image, ...others] = flags.all('image')
    if (image === undefined || others.length) throw new UsageError(image ? '--image may be given once' : noImage)
    const options = optionsOf(flags)
    const opacity = flags.number('opacity') ?? 0.6
    if (!(opacity >= 0 && opacity <= 1)) throw new UsageError(`--opacity ${opacity}: a number from 0 to 1 is allowed`)
    const out = flags.text('out') ?? `${basename(image, extname(image))}-${options.method}.png`
    if (!/\.png$/i.test(out)) throw new UsageError(`--out ${out}: a name that ends in .png is allowed`)
    const patch = await readPatch(flags.text('patch'))
    const prepare = preparationOf(flags, patch?.preparation)
    const model = withGiven(await patched(readModel(path), flags.text('patch')), givenOf(flags))
    const labels = labelsOf(flags) ?? patch?.classes ?? (await ownClasses(model))
    const ports = await portsOf(model)
    const port = imagePort(ports, prepare.layout, {
      flag: '--image',
      instead: 'explain takes pictures'
    })
    const picture = (await pictureReader([image]))(image)
    const input = imageTensor(picture, port, prepare)
    const device = await gradientDevice(flags)
    const progress = new Progress(1)
    let stage: Progress | undefined
    const began = performance.now()
    const found = await about(path, () =>
      explainModel(model.bytes, input, {
        ...options,
        device,
        ...(model.kind === 'onnx' ? importOf(model) : {}),
        externalData: externalDataOf(path),
        class: classOf(flags, labels, ports),
        onRun(done, total) {
          stage ??= new Progress(total)
          stage.step(Math.min(done, total), 'runs')
        }
      })
    ).finally(() => {
      progress.stop()
      stage?.stop()
    })
    const ms = performance.now() - began
    const names = labels && namesFor(labels, found.scores.length)
    if (labels && !names)
      throw new InputError(`--labels has ${labels.length} lines; the model gives ${found.scores.length} scores`)
    const shown = atMost(picture, mostPixels)
    const region = seenRegion(shown, input.dims, port, prepare)
    writeWhole(out, pngOf(overlay(shown, found.map, { opacity, region })))
    const npy = flags.text('npy')
    if (npy !== undefined) writeWhole(npy, encodeNpy(new Tensor(found.attribution.data, found.attribution.dims)))
    const label = names?.[found.class]
    const [{ name: scores, shape }] = ports.outputs
    if (shape.slice(2).some(size => size !== 1))
      printNotes(path, [
        `output "${scores}" is no list of scores: class ${found.class} is its element ${found.class}, whatever that means`
      ])
    if (flags.has('json')) return printJson(described(path, image, out, found, label, ms))
    print(`${textOf(image, found, label)}, ${ms.toFixed(0)} ms`)
    if (found.map.data.every(value => value === 0))
      print(`nothing there speaks for the class${found.layer === undefined ? '' : '; --layer NAME looks elsewhere'}`)
    if (found.completeness && found.completeness.error > 0.01)
      print('the attributions miss the difference of the scores by more than 1 %; --steps N takes more steps')
    print(`wrote ${[out, npy].filter(Boolean).join(' and ')}`)
  }
}

const noImage = '--image FILE is missing: the picture to explain'

/** Pixels of the longer side that pictures are shown with. */
const mostPixels = 1024

function atMost(picture: Parameters<typeof resize>[0], pixels: number) {
  const scale = pixels / Math.max(picture.width, picture.height)
  if (scale >= 1) return picture
  const [width, height] = [picture.width, picture.height].map(side => Math.max(1, Math.round(side * scale)))
  return resize(picture, width, height)
}

function optionsOf(flags: Flags): ExplainerOptions & Required<Pick<ExplainerOptions, 'method'>> {
  const given: ExplainerOptions = {
    ...{ layer: flags.text('layer'), output: flags.text('output-name') },
    ...{ steps: flags.whole('steps'), samples: flags.whole('samples'), noise: flags.number('noise') },
    ...{ seed: flags.whole('seed', 0), window: flags.whole('window'), stride: flags.whole('stride') },
    ...{ baseline: flags.number('baseline'), numThreads: flags.whole('threads') }
  }
  return { ...given, method: flags.choice('method', methods, 'gradcam') }
}

/** A number, or a name of the labels; undefined for the best class. */
function classOf(flags: Flags, labels: readonly string[] | undefined, { outputs }: Ports): number | undefined {
  const text = flags.text('class')
  if (text === undefined) return undefined
  if (/^\d+$/.test(text)) return Number(text)
  const counts = outputs.map(({ shape }) =>
    shape.reduce<number>((all, size) => all * (typeof size === 'number' ? size : 1), 1)
  )
  const names = labels && counts.map(count => namesFor(labels, count)).find(fitting => fitting)
  const at = names?.findIndex(label => label.toLowerCase() === text.toLowerCase()) ?? -1
  if (at >= 0) return at
  throw new InputError(
    `--class ${text}: a number${labels ? ' or one of the labels' : ', or with --labels a name,'} is allowed`
  )
}

interface Ports {
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
}

async function portsOf(model: ModelFile): Promise<Ports> {
  if (model.kind === 'cairn') return (await decodeModel(model)).header
  const { inputs, outputs } = await about(model.path, () => {
    const graph = importOnnx(model.bytes, importOf(model))
    foldConstants.run(graph)
    return graph
  })
  const port = ({ name, dtype, shape }: (typeof inputs)[number]) => ({ name, dtype, shape, storage: 0, offset: 0 })
  return { inputs: inputs.map(port), outputs: outputs.map(port) }
}

function textOf(image: string, { method, class: index, score, layer, map, completeness }: Explanation, label?: string) {
  const what = label === undefined ? `class ${index}` : `${label} (class ${index})`
  const where = layer === undefined ? '' : ` at "${layer}", ${map.height}×${map.width}`
  const sums =
    completeness && `, ${completeness.steps} steps, sum ${short(completeness.sum)} of ${short(completeness.difference)}`
  return `${image}: ${what}, score ${short(score)}, by ${method}${where}${sums ?? ''}`
}

function described(
  model: string,
  image: string,
  out: string,
  found: Explanation,
  label: string | undefined,
  ms: number
) {
  const { method, class: index, score, layer, map, completeness } = found
  const { width, height, data } = map
  const rows = Array.from({ length: height }, (_, y) => [...data.subarray(y * width, (y + 1) * width)])
  return { model, image, method, class: index, label, score, layer, completeness, ms, out, map: rows }
}
