import { sumToOne } from './class-map.js'
import { type Fed, type PlaneView, planesOf, type RecogniseOne, range } from './output.js'

/** Three planes are a colour picture; one plane is a grey one where it is larger than the input (super-resolution). */
export const image: RecogniseOne = (output, fed) => {
  const planes = planesOf(output, fed)
  if (!planes?.fits || !/^(float|uint8)/.test(output.type)) return undefined
  const { channels, height, width } = planes
  const grey = channels === 1 && height > fed.height && width > fed.width
  const { least, most } = range(output.data)
  const isShown = (least > -1.6 && most < 1.6) || (least > -200 && most > 64 && most < 500)
  if (!isShown || (channels !== 3 && !grey) || (channels === 3 && sumToOne(planes))) return undefined
  return { kind: 'image', of: [output.name], grey, pixels: paint(planes, { least, most }, fed) }
}

/** Models write bytes, or numbers from 0 to 1, or from -1 to 1: their largest and least ones tell. */
function paint({ channels, height, width, at }: PlaneView, { least, most }: { least: number; most: number }, fed: Fed) {
  const [scale, shift] = most > 4 ? [1, 0] : least < -0.5 ? [127.5, 127.5] : [255, 0]
  const order = channels === 1 ? [0, 0, 0] : fed.channels === 'BGR' ? [2, 1, 0] : [0, 1, 2]
  const pixels = new ImageData(width, height)
  for (let i = 0; i < height * width; i++) {
    order.forEach((channel, c) => {
      pixels.data[i * 4 + c] = at(channel, i) * scale + shift
    })
    pixels.data[i * 4 + 3] = 255
  }
  return pixels
}
