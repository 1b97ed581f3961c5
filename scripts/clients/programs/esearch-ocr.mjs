import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createCanvas, ImageData } from '@napi-rs/canvas'
import sharp from 'sharp'

const require = createRequire(import.meta.url)
const { init, setOCREnv } = require('esearch-ocr')
const ort = require('onnxruntime-node')

export default async place => {
  setOCREnv({ canvas: createCanvas, imageData: (data, width, height) => new ImageData(data, width, height) })
  globalThis.ImageData = ImageData
  const { data, info } = await sharp(place('page.png')).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
  const ocr = await init({
    ort,
    det: { input: place('ocr/ch_PP-OCRv4_det_infer.onnx') },
    rec: {
      input: place('ocr/ch_PP-OCRv4_rec_infer.onnx'),
      decodeDic: await readFile(place('ocr/ppocr_keys_v1.txt'), 'utf8')
    }
  })
  const { src } = await ocr.ocr(new ImageData(new Uint8ClampedArray(data), info.width, info.height))
  return src.map(({ text, mean }) => ({ text, mean }))
}
