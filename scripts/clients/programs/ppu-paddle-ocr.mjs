import { readFile } from 'node:fs/promises'
import { PaddleOcrService } from 'ppu-paddle-ocr'

export default async place => {
  const ocr = new PaddleOcrService({
    model: {
      detection: place('ocr/ch_PP-OCRv4_det_infer.onnx'),
      recognition: place('ocr/ch_PP-OCRv4_rec_infer.onnx'),
      charactersDictionary: place('ocr/ppocr_keys_v1.txt')
    }
  })
  await ocr.initialize()
  const { text, confidence } = await ocr.recognize(Uint8Array.from(await readFile(place('page.png'))).buffer)
  return { text, confidence }
}
