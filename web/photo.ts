import type { Picture } from 'cairn'

/** A picture on its own canvas, no larger than what a model can make use of. */
export interface Photo {
  readonly name: string
  readonly canvas: HTMLCanvasElement
}

const largest = 2048

export async function photoFrom(source: Blob, name: string): Promise<Photo> {
  let bitmap: ImageBitmap
  try {
    bitmap = await createImageBitmap(source)
  } catch {
    throw new Error(`${name}: not a picture that this browser reads; JPEG, PNG, WebP and BMP are allowed`)
  }
  const photo = { name, canvas: drawn(bitmap, bitmap.width, bitmap.height, largest) }
  bitmap.close()
  return photo
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

/** On white, which is what a transparent picture is mostly shown on. */
function drawn(source: CanvasImageSource, w: number, h: number, longer: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  const scale = Math.min(1, longer / Math.max(w, h))
  canvas.width = Math.max(1, Math.round(w * scale))
  canvas.height = Math.max(1, Math.round(h * scale))
  const context = contextOf(canvas)
  context.fillStyle = '#fff'
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.imageSmoothingQuality = 'high'
  context.drawImage(source, 0, 0, canvas.width, canvas.height)
  return canvas
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
