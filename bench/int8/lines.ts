// Lines of text to read: words and numbers in one font, drawn as small, as pale and as noisy as photos have them.
import { ImageResponse } from 'next/og.js'
import { PNG } from 'pngjs'
import { resize } from '../../runtime/index.js'
import { Random } from '../../train/index.js'

export interface Line {
  readonly text: string
  /** Planes of blue, green and red from -1 to 1, 48 pixels high. */
  readonly data: Float32Array
  readonly width: number
}

/** What the recogniser takes. */
export const lineHeight = 48

const words = (
  'river mountain window yellow between coffee letter garden travel bridge station market winter summer music paper ' +
  'Invoice Total Street Monday October Berlin Tokyo Quality Express Limited Service Number Version Hotel Museum'
).split(' ')

/** One to four words and numbers. */
function textOf(random: Random): string {
  const word = () => words[random.whole(words.length)]
  const number = () =>
    [String(random.whole(10_000)), `${random.whole(500)}.${10 + random.whole(90)}`, `No.${1 + random.whole(99)}`][
      random.whole(3)
    ]
  return Array.from({ length: 1 + random.whole(4) }, () => (random.whole(3) ? word() : number())).join(' ')
}

export async function drawLine(seed: number): Promise<Line> {
  const random = new Random(seed)
  const text = textOf(random)
  const [paper, contrast] = [150 + random.whole(106), 70 + random.whole(80)]
  const tinted = (level: number) => `rgb(${[0, 1, 2].map(() => level - random.whole(20)).join(',')})`
  const size = 22 + random.whole(12)
  const height = 48
  const width = Math.ceil((text.length * size * 0.58 + 24) / 32) * 32
  const style = {
    ...{ display: 'flex', alignItems: 'center', width: '100%', height: '100%', paddingLeft: 6 + random.whole(10) },
    ...{ background: tinted(paper), color: tinted(Math.max(paper - contrast, 20)), fontSize: size },
    transform: `rotate(${random.between(-1, 1)}deg)`
  }
  const drawn = new ImageResponse({ type: 'div', key: null, props: { style, children: text } }, { width, height })
  const { data } = PNG.sync.read(Buffer.from(await drawn.arrayBuffer()))
  const rgb = new Uint8Array(width * height * 3)
  for (let i = 0; i < width * height; i++)
    for (let c = 0; c < 3; c++) rgb[i * 3 + c] = over(data[i * 4 + c], data[i * 4 + 3], paper)
  // As from a small photo: fewer pixels than the recogniser wants, and noise of the sensor.
  const share = random.between(0.5, 1)
  const small = resize({ data: rgb, width, height }, Math.round(width * share), Math.round(height * share))
  for (let i = 0; i < small.data.length; i++) small.data[i] = clamped(small.data[i] + 6 * random.normal())
  const whole = resize(small, width, height)
  const plane = width * height
  const planes = Float32Array.from({ length: 3 * plane }, (_, i) => {
    const channel = 2 - Math.floor(i / plane)
    return whole.data[(i % plane) * 3 + channel] / 127.5 - 1
  })
  return { text, data: planes, width }
}

const clamped = (value: number) => Math.min(Math.max(Math.round(value), 0), 255)

/** What the turned line leaves transparent is paper. */
const over = (value: number, alpha: number, paper: number) => Math.round((value * alpha + paper * (255 - alpha)) / 255)
