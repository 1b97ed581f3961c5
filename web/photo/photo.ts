import type { Picture } from 'cairnjs'

/** A picture on its own canvas, no larger than what a model can make use of. */
export interface Photo {
  readonly name: string
  readonly canvas: HTMLCanvasElement
  /** What it was read from. */
  readonly content?: Blob
}

const largest = 2048

export async function photoFrom(source: Blob, name: string): Promise<Photo> {
  const bitmap = await decode(source, name)
  const photo = { name, content: source, canvas: drawn(bitmap, bitmap.width, bitmap.height, largest) }
  bitmap.close()
  return photo
}

/** The pixels that `photoFrom` gives, in a worker. */
export async function pictureFrom(source: Blob, name: string): Promise<Picture> {
  const bitmap = await decode(source, name)
  const { width, height } = sizeWithin(bitmap.width, bitmap.height, largest)
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!
  paint(context, bitmap, width, height)
  bitmap.close()
  return context.getImageData(0, 0, width, height)
}

async function decode(source: Blob, name: string): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(source)
  } catch {
    throw new Error(`${name}: not a picture that this browser reads; JPEG, PNG, WebP and BMP are allowed`)
  }
}

export function frameOf(video: HTMLVideoElement, longer: number): Photo {
  return { name: 'camera', canvas: drawn(video, video.videoWidth, video.videoHeight, longer) }
}

export function pixelsOf({ canvas }: Photo): Picture {
  return contextOf(canvas).getImageData(0, 0, canvas.width, canvas.height)
}

export function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  return canvas.getContext('2d', { willReadFrequently: true })!
}

function drawn(source: CanvasImageSource, w: number, h: number, longer: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  const { width, height } = sizeWithin(w, h, longer)
  Object.assign(canvas, { width, height })
  paint(contextOf(canvas), source, width, height)
  return canvas
}

function sizeWithin(w: number, h: number, longer: number): { width: number; height: number } {
  const scale = Math.min(1, longer / Math.max(w, h))
  const side = (own: number) => Math.max(1, Math.round(own * scale))
  return { width: side(w), height: side(h) }
}

/** On white, which is what a transparent picture is mostly shown on. */
function paint(
  context: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D,
  source: CanvasImageSource,
  width: number,
  height: number
): void {
  context.fillStyle = '#fff'
  context.fillRect(0, 0, width, height)
  context.imageSmoothingQuality = 'high'
  context.drawImage(source, 0, 0, width, height)
}

/** The middle of a photo as a square of that side. */
export function thumbnailOf({ canvas }: Photo, side: number): HTMLCanvasElement {
  const { width: w, height: h } = canvas
  const short = Math.min(w, h)
  const small = document.createElement('canvas')
  small.width = small.height = side
  const context = small.getContext('2d')!
  context.imageSmoothingQuality = 'high'
  context.drawImage(canvas, (w - short) / 2, (h - short) / 2, short, short, 0, 0, side, side)
  return small
}

/** Something to run a model on where there is no photo: a hill, a sun, and a cairn. */
export function testPicture(): Photo {
  const canvas = document.createElement('canvas')
  canvas.width = 640
  canvas.height = 480
  const context = contextOf(canvas)
  const sky = context.createLinearGradient(0, 0, 0, 480)
  sky.addColorStop(0, '#6fa8dc')
  sky.addColorStop(1, '#fdf1dc')
  context.fillStyle = sky
  context.fillRect(0, 0, 640, 480)
  const blob = (colour: string, x: number, y: number, rx: number, ry: number) => {
    context.fillStyle = colour
    context.beginPath()
    context.ellipse(x, y, rx, ry, 0, 0, Math.PI * 2)
    context.fill()
  }
  blob('#f6c65b', 520, 95, 42, 42)
  blob('#5d7f55', 180, 560, 460, 190)
  blob('#496b47', 560, 580, 380, 200)
  const stones = [
    ['#6f6a64', 320, 382, 112, 36],
    ['#8b857c', 312, 322, 84, 30],
    ['#5f5b57', 326, 270, 62, 25],
    ['#a09a90', 318, 228, 42, 20],
    ['#77726b', 322, 196, 24, 14]
  ] as const
  for (const [colour, x, y, rx, ry] of stones) blob(colour, x, y, rx, ry)
  return { name: 'test picture', canvas }
}
