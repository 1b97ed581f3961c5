// Trains the classifier that the browser page ships, so that a newcomer sees something that means something: ten kinds of
// clothing, from Fashion-MNIST (Zalando SE, MIT licence). `node dist/scripts/starter.js [FOLDER] [EPOCHS]` writes
// web/public/starter anew: the model, a sample of each kind from the test pictures, and index.json with what was measured.
// The folder holds the files of Debian's package dataset-fashion-mnist. Not part of the build: it takes a quarter of an hour.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PNG } from 'pngjs'
import { openData } from '../cli/train/index.js'
import { compile } from '../compiler/index.js'
import { GraphBuilder } from '../models/builder/builder.js'
import { InferenceSession, Tensor } from '../runtime/index.js'
import type { Random } from '../runtime/train/index.js'
import onnxProto from '../schema/onnx.js'
import { applyPatch, Trainer } from '../train/index.js'

const { onnx } = onnxProto
const [folder = '/usr/share/datasets/fashion-mnist', epochs = '14'] = process.argv.slice(2)
const target = fileURLToPath(new URL('../../web/public/starter', import.meta.url))
const seed = 1

const classes = ['T-shirt', 'trousers', 'pullover', 'dress', 'coat', 'sandal', 'shirt', 'sneaker', 'bag', 'ankle boot']
const side = 28
const half = { kernel: 2, stride: 2 }
const percent = (share: number) => `${(share * 100).toFixed(1)} %`

function network(): Uint8Array {
  const graph = new GraphBuilder('clothes', { seed })
  return graph.finish(
    graph
      .input([1, side, side])
      .conv('conv1', 16, { kernel: 3, pad: 1 })
      .relu()
      .maxPool(half, 'pool1')
      .conv('conv2', 32, { kernel: 3, pad: 1 })
      .relu()
      .conv('conv3', 32, { kernel: 3, pad: 1 })
      .relu()
      .maxPool(half, 'pool2')
      .conv('conv4', 64, { kernel: 3, pad: 1 })
      .relu()
      .maxPool(half, 'pool3')
      .flatten()
      .gemm('fc5', 64)
      .relu()
      .gemm('fc6', classes.length, 'xavier')
  )
}

const { pictures } = await openData(folder)
const test = pictures.validation!
const known = pictures.labels.length - test.length
const held = 5000

/** Brightness from 0 to 1. The set shows light things on black; photos mostly show the contrary, so half are turned round. */
function input(index: number, inverted: boolean, shift: readonly [number, number] = [0, 0], mirrored = false) {
  const { data } = pictures.read(index)
  return Float32Array.from({ length: side * side }, (_, i) => {
    const [x, y] = [(mirrored ? side - 1 - (i % side) : i % side) + shift[0], Math.floor(i / side) + shift[1]]
    const byte = x < 0 || y < 0 || x >= side || y >= side ? 0 : data[(y * side + x) * 3]
    return (inverted ? 255 - byte : byte) / 255
  })
}

function drawn(index: number, random: Random | undefined): Float32Array {
  if (!random) return input(index, index % 2 === 1)
  const step = () => random.whole(5) - 2
  return input(index, random.whole(2) === 1, [step(), step()], random.whole(2) === 1)
}

const trainer = await Trainer.create(network(), {
  ...{ classes, initialise: 'he', epochs: Number(epochs), batchSize: 64, learningRate: 2e-3, seed },
  ...{ labelSmoothing: 0.05, numThreads: 2 }
})
const labels = pictures.labels.slice(0, known)
const split = {
  training: Array.from({ length: known - held }, (_, i) => i),
  validation: Array.from({ length: held }, (_, i) => known - held + i)
}
await trainer.fit(
  { labels, input: drawn, augmented: true },
  {
    split,
    onEpoch: ({ epoch, trainLoss, validationAccuracy }) =>
      console.log(`epoch ${epoch}: loss ${trainLoss.toFixed(3)}, ${percent(validationAccuracy!)} of those held back`)
  }
)

/** What lies in the package and is downloaded by nobody: of each weight 8 bits, of a scale for each output. */
function short(bytes: Uint8Array): Uint8Array {
  const model = onnx.ModelProto.decode(bytes)
  const { initializer, node } = model.graph!
  for (const tensor of [...initializer!]) {
    const { name, dims, rawData } = tensor
    if (dims!.length < 2) continue
    const weights = new Float32Array(Uint8Array.from(rawData!).buffer)
    const rows = Number(dims![0])
    const each = weights.length / rows
    const scales = Float32Array.from({ length: rows }, (_, row) => {
      const own = weights.subarray(row * each, (row + 1) * each)
      return own.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0) / 127 || 1
    })
    const whole = Int8Array.from(weights, (weight, i) => Math.round(weight / scales[Math.floor(i / each)]))
    const [own, scale] = [`${name}.bytes`, `${name}.scale`]
    Object.assign(tensor, {
      name: own,
      dataType: onnx.TensorProto.DataType.INT8,
      rawData: new Uint8Array(whole.buffer)
    })
    const dataType = onnx.TensorProto.DataType.FLOAT
    initializer!.push(
      onnx.TensorProto.create({ name: scale, dataType, dims: [rows], rawData: new Uint8Array(scales.buffer) })
    )
    node!.unshift(
      onnx.NodeProto.create({
        ...{ opType: 'DequantizeLinear', name: `${name}.float`, input: [own, scale], output: [name!] },
        attribute: [{ name: 'axis', type: onnx.AttributeProto.AttributeType.INT, i: 0 }]
      })
    )
  }
  return onnx.ModelProto.encode(model).finish()
}

const model = short(await applyPatch(network(), trainer.patch()))
const session = await InferenceSession.create(await compile(model))
const [name] = session.inputNames
async function scoresOf(data: Float32Array): Promise<Float32Array> {
  const results = await session.run({ [name]: new Tensor('float32', data, [1, 1, side, side]) })
  return results[session.outputNames[0]].data as Float32Array
}

const best = (scores: Float32Array) => scores.reduce((most, score, i) => (score > scores[most] ? i : most), 0)

const right = { dark: 0, light: 0 }
const samples = new Map<number, { index: number; probability: number }>()
for (const index of test) {
  const label = pictures.labels[index]
  const dark = await scoresOf(input(index, false))
  const light = await scoresOf(input(index, true))
  right.dark += Number(best(dark) === label)
  right.light += Number(best(light) === label)
  // A sample is one of the first of its kind of which the network is sure, as a newcomer's first picture should be.
  const sure = best(light) === label && light[label] > 0.9
  if (sure && !samples.has(label)) samples.set(label, { index, probability: light[label] })
}
const accuracy = { dark: right.dark / test.length, light: right.light / test.length }
console.log(`test pictures: ${percent(accuracy.dark)} right, ${percent(accuracy.light)} turned round`)

mkdirSync(target, { recursive: true })
writeFileSync(join(target, 'clothes.onnx'), model)
const photos = classes.map((name, label) => {
  const file = `${name.replace(' ', '-').toLowerCase()}.png`
  const { index } = samples.get(label)!
  const png = new PNG({ width: side, height: side })
  input(index, true).forEach((share, i) => png.data.set([...new Array(3).fill(Math.round(share * 255)), 255], i * 4))
  writeFileSync(join(target, file), PNG.sync.write(png, { colorType: 0 }))
  return file
})
const index = {
  ...{ name: 'Clothes', file: 'clothes.onnx', photos },
  preprocess: { values: 'unit', channels: 'RGB', fit: 'centre' },
  accuracy: { dark: +accuracy.dark.toFixed(4), light: +accuracy.light.toFixed(4) },
  epochs: Number(epochs),
  seed,
  data: 'Fashion-MNIST, copyright 2017 Zalando SE, MIT licence; the samples are of its test pictures, light and dark turned round'
}
writeFileSync(join(target, 'index.json'), `${JSON.stringify(index, undefined, 2)}\n`)
await session.release()
await trainer.release()
