import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PNG } from 'pngjs'
import { readText } from '../bench/int8/letters.js'
import { openGpu } from '../cli/device/index.js'
import { pictureReader } from '../cli/pictures/index.js'
import { count, scaled, shape, size, table } from '../cli/terminal/index.js'
import { env, Tensor } from '../runtime/index.js'
import { fit, imageNet, type Picture, resize, toFloatData, topK } from '../runtime/tensor/index.js'
import { isImitation } from '../runtime/webgpu/index.js'
import { cut, findBoxes, framed, turned } from './demo/boxes.js'
import { DemoModel } from './demo/model.js'
import { drawPage } from './demo/page.js'

/**
 * The whole road on trained networks: PP-OCR's detector finds the lines of text on a page, its classifier tells which
 * are upside down, its recogniser reads them; each is compiled from ONNX here and now and run on the CPU path. Where
 * the photos of ../shared lie beside the checkout, MobileNetV2 names what is on two of them.
 */
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const assets = join(root, 'node_modules', '@gutenye', 'ocr-models', 'assets')
const shared = join(root, '..', 'shared')
const results = join(root, 'dist', 'demo')

const page = drawPage(640, 416, [
  { text: 'A cairn marks the way', left: 48, top: 36, scale: 4 },
  { text: 'ONNX in, a small file out', left: 24, top: 104, scale: 4 },
  { text: 'SIMD kernels, 4 by 8', left: 96, top: 176, scale: 3 },
  { text: 'turned on its head', left: 60, top: 240, scale: 4, upsideDown: true },
  { text: 'No. 1,170,728', left: 300, top: 316, scale: 4 }
])

/** Rows of the tables, gathered while the models run. */
const compiled: string[][] = []
const timed: string[][] = []
const ran: { readonly model: DemoModel; readonly input: Tensor }[] = []

async function main(): Promise<void> {
  mkdirSync(results, { recursive: true })
  await readPage()
  await namePhotos()
  heading('What the compiler did')
  const aligned = ['left', 'right', 'right', 'right', 'right', 'right', 'right', 'right'] as const
  console.log(
    table(
      ['network', 'nodes', 'BatchNorms folded', 'ONNX', '.cairn', 'arena', 'lower bound', 'compile'],
      compiled,
      aligned
    )
  )
  heading('Time on the CPU path (wasm SIMD, one thread) and check against onnxruntime-node')
  console.log(table(['network', 'input', 'MACs', 'load', 'median run', 'max abs error', 'relative'], timed, aligned))
  await showWebGpu()
}

/** What the models make of WebGPU: all of them where there is a GPU, the smallest where a library imitates one. */
async function showWebGpu(): Promise<void> {
  let adapter: GPUAdapter
  try {
    env.webgpu.gpu = await openGpu()
    adapter = (await env.webgpu.gpu.requestAdapter())!
  } catch (error) {
    console.log(`\nWebGPU: ${(error as Error).message}`)
    return
  }
  const { description, vendor } = adapter.info
  const imitated = isImitation(adapter.info)
  const what = imitated
    ? `${description || vendor}, which computes on the CPU: for checking, not for speed`
    : description
  heading(`WebGPU on ${what || vendor}`)
  const chosen = imitated ? [...ran].sort((a, b) => a.input.size - b.input.size).slice(0, 1) : ran
  const rows: string[][] = []
  for (const { model, input } of chosen) {
    const { load, run, relative } = await model.onWebGpu(input)
    rows.push([model.title, shape(input.dims), ms(load), ms(run), relative.toExponential(1)])
  }
  const aligned = ['left', 'right', 'right', 'right', 'right'] as const
  console.log(table(['network', 'input', 'load', 'run', 'error against the CPU path'], rows, aligned))
}

/** Finds, turns and reads the lines of text. */
async function readPage(): Promise<void> {
  const detector = await DemoModel.open('text detector', join(assets, 'ch_PP-OCRv4_det_infer.onnx'))
  const classifier = await DemoModel.open('angle classifier', join(assets, 'ch_ppocr_mobile_v2.0_cls_infer.onnx'))
  const recogniser = await DemoModel.open('text recogniser', join(assets, 'ch_PP-OCRv4_rec_infer.onnx'))
  const letters = readFileSync(join(assets, 'ppocr_keys_v1.txt'), 'utf8').split(/\r?\n/).slice(0, 6623)

  const pageInput = pictureTensor(page, imageNet.mean, imageNet.std)
  const map = (await detector.run(pageInput)).data as Float32Array
  const boxes = findBoxes(map, page.width, page.height)
  heading(`PP-OCRv4 on a page of ${page.width}×${page.height}: ${boxes.length} lines of text`)
  let angleInput: Tensor | undefined
  let lineInput: Tensor | undefined
  for (const box of boxes) {
    const line = cut(page, box)
    angleInput = pictureTensor(line48(line, 192), 0.5, 0.5)
    const [upright, down] = (await classifier.run(angleInput)).data as Float32Array
    lineInput = pictureTensor(line48(down > upright ? turned(line) : line), 0.5, 0.5)
    const scores = await recogniser.run(lineInput)
    const { text, score } = readText(scores.data as Float32Array, scores.dims[2], letters)
    const angle = down > upright ? `upside down ${percent(down)}` : `upright ${percent(upright)}`
    console.log(
      `  at ${box.left},${box.top} ${box.width}×${box.height}: ${angle.padEnd(19)} "${text}" ${percent(score)}`
    )
  }
  const drawn = writePng('page.png', framed(page, boxes))
  console.log(`  the page with its boxes: ${drawn}`)
  await report(detector, pageInput)
  if (angleInput) await report(classifier, angleInput)
  if (lineInput) await report(recogniser, lineInput)
}

/** Names what is on two photos, where they and the model are at hand. */
async function namePhotos(): Promise<void> {
  const model = join(shared, 'models', 'mobilenet_v2_imagenet.onnx')
  const labelFile = join(shared, 'models', 'labels_imagenet_1001.txt')
  const photos = ['cat_720p.jpg', 'hot_dog.jpg'].map(name => join(shared, 'photos', name))
  if (![model, labelFile, ...photos].every(existsSync)) return
  const network = await DemoModel.open('MobileNetV2', model)
  const labels = readFileSync(labelFile, 'utf8').split(/\r?\n/)
  heading('MobileNetV2 on photos')
  let input: Tensor | undefined
  for (const photo of photos) {
    input = pictureTensor(
      fit((await pictureReader([photo]))(photo), { width: 224, height: 224, resize: 224 }),
      0.5,
      0.5,
      'RGB'
    )
    const best = topK((await network.run(input)).data as Float32Array, 3)
    console.log(
      `  ${relative(shared, photo)}: ${best.map(({ index, score }) => `${labels[index]} ${percent(score)}`).join(', ')}`
    )
  }
  await report(network, input!)
}

async function report(model: DemoModel, input: Tensor): Promise<void> {
  ran.push({ model, input })
  const { nodesBefore, nodesAfter, batchNormsFolded } = model.built.summary
  const { bytes, lowerBound } = model.arenaFor(input)
  const nodes = `${nodesBefore} → ${nodesAfter}`
  const files = [size(model.onnxBytes), size(model.file.length)]
  compiled.push([
    model.title,
    nodes,
    count(batchNormsFolded),
    ...files,
    size(bytes),
    size(lowerBound),
    ms(model.compileMs)
  ])
  const error = await model.check(input)
  const errors = error ? [error.absolute.toExponential(1), error.relative.toExponential(1)] : ['', '']
  timed.push([
    model.title,
    shape(input.dims),
    scaled(model.macsFor(input)),
    ms(model.loadMs),
    ms(await model.time(input)),
    ...errors
  ])
}

function pictureTensor(
  picture: Picture,
  mean: number | readonly number[],
  std: number | readonly number[],
  channels: 'RGB' | 'BGR' = 'BGR'
): Tensor {
  const data = toFloatData(picture, { channels, scale: 1 / 255, mean, std })
  return new Tensor('float32', data, [1, 3, picture.height, picture.width])
}

/** A line of text 48 pixels high; with `width`, no wider, and filled up with grey. */
function line48(line: Picture, width?: number): Picture {
  const natural = Math.ceil((48 * line.width) / line.height)
  const scaledLine = resize(line, Math.min(natural, width ?? natural), 48)
  if (width === undefined || scaledLine.width === width) return scaledLine
  const data = new Uint8Array(width * 48 * 3).fill(128)
  for (let y = 0; y < 48; y++)
    data.set(scaledLine.data.subarray(y * scaledLine.width * 3, (y + 1) * scaledLine.width * 3), y * width * 3)
  return { data, width, height: 48 }
}

function writePng(name: string, { data, width, height }: Picture): string {
  const path = join(results, name)
  writeFileSync(
    path,
    PNG.sync.write(Object.assign(new PNG({ width, height }), { data: Buffer.from(data) }), {
      inputColorType: 2,
      colorType: 2,
      inputHasAlpha: false
    })
  )
  return relative(process.cwd(), path)
}

const heading = (text: string) => console.log(`\n${text}\n`)
const percent = (value: number) => `${(value * 100).toFixed(1)} %`
const ms = (value: number) => `${value.toFixed(1)} ms`

await main()
