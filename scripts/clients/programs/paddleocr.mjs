import { readFile } from 'node:fs/promises'
import * as ort from 'onnxruntime-web'
import { PaddleOcrService } from 'paddleocr'
import sharp from 'sharp'

export default async place => {
  const bytes = async name => Uint8Array.from(await readFile(place(`ocr/${name}`))).buffer
  const keys = (await readFile(place('ocr/ppocr_keys_v1.txt'), 'utf8')).trimEnd().split(/\r?\n/)
  const ocr = await PaddleOcrService.createInstance({
    ort,
    detection: { modelBuffer: await bytes('ch_PP-OCRv4_det_infer.onnx') },
    recognition: { modelBuffer: await bytes('ch_PP-OCRv4_rec_infer.onnx'), charactersDictionary: ['', ...keys, ' '] }
  })
  const { data, info } = await sharp(place('page.png')).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  const lines = await ocr.recognize({ width: info.width, height: info.height, data: new Uint8Array(data) })
  return ocr.processRecognition(lines).text
}
