import Ocr from '@gutenye/ocr-node'

export default async place => {
  const ocr = await Ocr.create()
  const lines = await ocr.detect(place('page.png'))
  return lines.map(({ text, mean }) => ({ text, mean }))
}
