import Ocr from '@gutenye/ocr-browser'

export default async place => {
  const ocr = await Ocr.create({
    models: {
      detectionPath: place('ocr/ch_PP-OCRv4_det_infer.onnx'),
      recognitionPath: place('ocr/ch_PP-OCRv4_rec_infer.onnx'),
      dictionaryPath: place('ocr/ppocr_keys_v1.txt')
    }
  })
  const lines = await ocr.detect(place('page.png'))
  return lines.map(({ text, mean }) => ({ text, mean }))
}
