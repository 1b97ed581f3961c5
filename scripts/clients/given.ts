// What clients are given: a page of text, a picture, PP-OCR's models, and models that no package of npm holds, of random weights.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import onnxProto from 'onnx-proto'
import { PNG } from 'pngjs'
import { zoo } from '../../models/index.js'
import { ModelBuilder } from '../../test/support/onnx/model.js'
import { Random } from '../../test/support/random.js'
import { root } from '../../test/support/root.js'
import { drawPage } from '../demo/page.js'

export function give(folder: string): void {
  mkdirSync(folder, { recursive: true })
  const { width, height, data } = drawPage(640, 416, [
    { text: 'A cairn marks the way', left: 48, top: 36, scale: 4 },
    { text: 'ONNX in, a small file out', left: 24, top: 104, scale: 4 },
    { text: 'SIMD kernels, 4 by 8', left: 96, top: 176, scale: 3 },
    { text: 'No. 1,170,728', left: 300, top: 316, scale: 4 }
  ])
  const page = new PNG({ width, height })
  for (let i = 0; i < width * height; i++) page.data.set([...data.subarray(i * 3, i * 3 + 3), 255], i * 4)
  writeFileSync(join(folder, 'page.png'), PNG.sync.write(page))
  writeFileSync(join(folder, 'photo.png'), PNG.sync.write(ball(480, 400)))
  cpSync(join(root, 'node_modules', '@gutenye', 'ocr-models', 'assets'), join(folder, 'ocr'), { recursive: true })
  squeezenet(join(folder, 'squeezenet'))
  writeFileSync(join(folder, 'melspectrogram.onnx'), melspectrogram())
  writeFileSync(join(folder, 'embedding.onnx'), embedding())
}

/** A striped ball that lies in front of a wall and throws a shadow. */
function ball(width: number, height: number): PNG {
  const picture = new PNG({ width, height })
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [across, down] = [(x - 240) / 130, (y - 190) / 130]
      const inside = 1 - across * across - down * down
      const shadow = Math.exp(-(((x - 255) / 150) ** 2) - ((y - 325) / 26) ** 2)
      let colour = [1, 0.98, 0.94].map(part => part * (y > 270 ? 220 - 0.1 * y : 214 - 0.06 * y) * (1 - 0.4 * shadow))
      if (inside > 0) {
        const depth = Math.sqrt(inside)
        const light = Math.max(0.15, 0.62 * depth - 0.5 * across - 0.6 * down)
        const isRed = Math.floor((across * 0.8 + down * 0.3 + depth) * 4) % 2 === 0
        colour = (isRed ? [214, 60, 44] : [236, 226, 208]).map(part => part * light + 960 * Math.max(0, light - 0.9))
      }
      picture.data.set([...colour.map(part => Math.min(255, part)), 255], (y * width + x) * 4)
    }
  return picture
}

/** A classifier in the form of a folder of Hugging Face. */
function squeezenet(folder: string): void {
  mkdirSync(join(folder, 'onnx'), { recursive: true })
  const model = onnxProto.onnx.ModelProto.decode(zoo['squeezenet1.1'].build())
  const { input, output, node } = model.graph!
  const names = new Map([
    [input![0].name, 'pixel_values'],
    [output![0].name, 'logits']
  ])
  const renamed = (name: string) => names.get(name) ?? name
  for (const each of node!) {
    each.input = each.input!.map(renamed)
    each.output = each.output!.map(renamed)
  }
  for (const port of [input![0], output![0]]) port.name = renamed(port.name!)
  writeFileSync(join(folder, 'onnx', 'model.onnx'), onnxProto.onnx.ModelProto.encode(model).finish())
  const json = (name: string, value: unknown) => writeFileSync(join(folder, name), JSON.stringify(value))
  json('config.json', {
    model_type: 'mobilenet_v2',
    architectures: ['MobileNetV2ForImageClassification'],
    id2label: Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [i, `class ${i}`]))
  })
  json('preprocessor_config.json', {
    ...{ do_resize: true, size: { height: 224, width: 224 }, do_rescale: true, rescale_factor: 1 / 255 },
    ...{ do_normalize: true, image_mean: [0.485, 0.456, 0.406], image_std: [0.229, 0.224, 0.225], resample: 2 },
    image_processor_type: 'ViTImageProcessor'
  })
}

/** 1×samples to 1×1×frames×32: frames of 400 samples, 160 apart, as sums of products, squared, in logarithms. */
function melspectrogram(): Uint8Array {
  const m = new ModelBuilder(new Random('melspectrogram'))
  const samples = m.input([1, 'samples'], 'float32', [-1, 1], 'input')
  const signal = m.add('Unsqueeze', [m.add('Mul', [samples, m.scalar(1 / 32768)]), m.ints([1])])
  const parts = m.add('Conv', [signal, m.weights([64, 1, 400])], { strides: [160] })
  const power = m.add('Mul', [parts, parts])
  const bands = m.add('Conv', [power, m.weights([32, 64, 1], [0, 1])])
  const levels = m.add('Log', [m.add('Add', [bands, m.scalar(1e-6)])])
  return m.output(m.add('Unsqueeze', [m.add('Transpose', [levels], { perm: [0, 2, 1] }), m.ints([1])])).encode()
}

/** 1×76×32×1 to 1×1×1×96. */
function embedding(): Uint8Array {
  const m = new ModelBuilder(new Random('embedding'))
  const frames = m.input([1, 76, 32, 1], 'float32', [-1, 1], 'input')
  let x = m.add('Transpose', [frames], { perm: [0, 3, 1, 2] })
  for (const [from, to] of [
    [1, 24],
    [24, 48],
    [48, 96]
  ])
    x = m.add('Relu', [
      m.add('Conv', [x, m.weights([to, from, 3, 3], [-0.2, 0.2])], { strides: [2, 2], pads: [1, 1, 1, 1] })
    ])
  return m.output(m.add('Transpose', [m.add('GlobalAveragePool', [x])], { perm: [0, 2, 3, 1] })).encode()
}
