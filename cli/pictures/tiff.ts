import { decode, type TiffIfd } from 'tiff'
import type { Picture } from '../../runtime/tensor/index.js'
import { Unread, uprightTiff } from './picture-tags.js'

/** TIFF: grey, RGB and palettes of 1, 8 and 16 bits, uncompressed or with LZW or Deflate. The rest is refused by name. */

/** How pixels are compressed, by TIFF's numbers. */
const compressions: Readonly<Record<number, string>> = {
  1: 'none',
  2: 'CCITT',
  3: 'CCITT',
  4: 'CCITT',
  5: 'LZW',
  6: 'JPEG',
  7: 'JPEG',
  8: 'Deflate',
  32773: 'PackBits',
  32946: 'Deflate',
  50000: 'Zstandard',
  50001: 'WebP'
}
const read = ['none', 'LZW', 'Deflate']
/** What samples mean, by TIFF's numbers. */
const meanings = ['grey', 'grey', 'RGB', 'palette', 'mask', 'CMYK', 'YCbCr']

/** The first page as it is stored, 16 bits cut to their upper 8. */
export function decodeTiff(bytes: Uint8Array, check: (width: number, height: number) => void): Picture {
  const file = uprightTiff(bytes)
  const [head] = decode(file, { pages: [0], ignoreImageData: true })
  refuse(head)
  check(head.width, head.height)
  const [page] = decode(file, { pages: [0] })
  return { data: rgbOf(page), width: page.width, height: page.height }
}

function refuse({
  compression,
  type,
  samplesPerPixel,
  bitsPerSample,
  sampleFormat,
  planarConfiguration,
  tiled
}: TiffIfd) {
  const no = (what: string) => {
    throw new Unread(`a TIFF with ${what}, which is not read; save it as PNG`)
  }
  const how = compressions[compression] ?? `compression ${compression}`
  if (!read.includes(how)) no(`${how} compression`)
  const meaning = meanings[type] ?? `colours of kind ${type}`
  if (!['grey', 'RGB', 'palette'].includes(meaning)) no(meaning)
  if (meaning === 'RGB' && samplesPerPixel < 3) no(`${samplesPerPixel} samples a pixel of RGB`)
  if (![1, 8, 16].includes(bitsPerSample) || sampleFormat !== 1) no(`samples of ${bitsPerSample} bits`)
  if (samplesPerPixel > 1 && (tiled || planarConfiguration !== 1)) no(tiled ? 'tiles of colours' : 'planes of colours')
}

function rgbOf({ type, samplesPerPixel, bitsPerSample, data, palette, width, height }: TiffIfd): Uint8Array {
  const rgb = new Uint8Array(width * height * 3)
  const byte = (sample: number) => (bitsPerSample === 16 ? sample >> 8 : bitsPerSample === 1 ? sample * 255 : sample)
  for (let pixel = 0; pixel < width * height; pixel++)
    for (let c = 0; c < 3; c++) {
      const at = pixel * samplesPerPixel
      const sample = type === 3 ? palette![data[at]][c] >> 8 : byte(data[at + (type === 2 ? c : 0)])
      rgb[pixel * 3 + c] = sample
    }
  return rgb
}
