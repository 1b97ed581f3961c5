import { type Fed, type Image, type Planes, planesOf, type Recognise, range } from './output.js'

/** Three planes are a colour picture; one plane is a grey one where it is larger than the input (super-resolution). */
export const image: Recognise = ([output, ...others], fed): Image | undefined => {
  const planes = others.length ? undefined : planesOf(output, fed)
  if (!planes) return undefined
  const { channels, height, width } = planes
  const grey = channels === 1 && height > fed.height && width > fed.width
  if (channels !== 3 && !grey) return undefined
  return { kind: 'image', grey, pixels: paint(planes, range(output.data), fed) }
}

/** Models write bytes, or numbers from 0 to 1, or from -1 to 1: their largest and least ones tell. */
function paint({ channels, height, width, at }: Planes, { least, most }: { least: number; most: number }, fed: Fed) {
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
