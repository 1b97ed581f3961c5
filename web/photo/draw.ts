import { nameOf } from '../model/labels.js'
import { percent } from '../numbers.js'
import type { Boxes, ClassMap, Finding, Image, Mask, Point } from '../outputs/output.js'
import { contextOf, type Photo } from './photo.js'
import type { Region } from './prepare.js'

/** The photo with what a model has found on it. */
export interface Drawing {
  readonly photo: Photo
  readonly findings: readonly Finding[]
  readonly region: Region | undefined
  /** Boxes that are less sure are not drawn. */
  readonly least: number
  /** How strongly masks lie on the photo; how much of a picture that a model has made is shown. */
  readonly blend: number
  /** A map of what speaks for a class, in place of the findings. */
  readonly heat?: Heat
}

/** Colours over the part of the photo that a model has seen. */
export interface Heat {
  readonly image: ImageData
  readonly region: Region
  readonly opacity: number
}

/** A colour for each class, far from those of its neighbours. */
export function colourOf(index: number): string {
  return `oklch(0.56 0.16 ${hueOf(index)})`
}

const hueOf = (index: number) => Math.round((165 + index * 137.508) % 360)

export function draw(canvas: HTMLCanvasElement, drawing: Drawing): void {
  const { photo, findings, region } = drawing
  const picture = findings.find(({ kind }) => kind === 'image')
  if (picture?.kind === 'image' && !drawing.heat) {
    drawImage(canvas, drawing, picture)
    return
  }
  canvas.width = photo.canvas.width
  canvas.height = photo.canvas.height
  const context = contextOf(canvas)
  context.drawImage(photo.canvas, 0, 0)
  if (drawing.heat) {
    drawOver(context, drawing.heat.image, drawing.heat.region, drawing.heat.opacity)
    shadeOutside(context, drawing.heat.region)
    return
  }
  if (!region || !findings.length) return
  const over = findings.find(({ kind }) => kind === 'mask' || kind === 'map')
  if (over?.kind === 'mask') drawOver(context, paintMask(over), region, drawing.blend)
  if (over?.kind === 'map') drawOver(context, paintMap(over), region, drawing.blend)
  for (const finding of findings) {
    if (finding.kind === 'boxes') drawBoxes(context, finding, region, drawing.least)
    if (finding.kind === 'points') drawPoints(context, finding.points, region, '#14c88c')
  }
  if (seesPart(findings)) shadeOutside(context, region)
}

/** Whether what lies outside of the model's input is darker. */
export const seesPart = (findings: readonly Finding[]) =>
  findings.length > 0 && findings.every(({ kind }) => ['classes', 'numbers', 'planes', 'text'].includes(kind))

/** What the model does not see is darker. */
function shadeOutside(context: CanvasRenderingContext2D, { x, y, width, height }: Region): void {
  const { canvas } = context
  context.beginPath()
  context.rect(0, 0, canvas.width, canvas.height)
  context.rect(x, y, width, height)
  context.fillStyle = 'rgb(0 0 0 / 38%)'
  context.fill('evenodd')
}

function drawBoxes(context: CanvasRenderingContext2D, { boxes, labels }: Boxes, region: Region, least: number): void {
  const unit = Math.max(context.canvas.width, context.canvas.height) / 640
  const size = Math.max(11, Math.round(17 * unit))
  context.font = `600 ${size}px system-ui, sans-serif`
  context.textBaseline = 'middle'
  context.lineWidth = Math.max(2, 3 * unit)
  for (const box of boxes.filter(({ score }) => score >= least).reverse()) {
    const [x, y] = [region.x + box.left * region.width, region.y + box.top * region.height]
    const [wide, high] = [(box.right - box.left) * region.width, (box.bottom - box.top) * region.height]
    const text = `${nameOf(box.index, labels)} ${percent(box.score)}`
    context.strokeStyle = colourOf(box.index)
    context.strokeRect(x, y, wide, high)
    const room = context.measureText(text).width + size * 0.7
    const left = Math.max(Math.min(x - context.lineWidth / 2, context.canvas.width - room), 0)
    const top = Math.max(y - size * 1.45, 0)
    context.fillStyle = colourOf(box.index)
    context.fillRect(left, top, room, size * 1.45)
    context.fillStyle = '#fff'
    context.fillText(text, left + size * 0.35, top + size * 0.76)
  }
  for (const box of boxes.filter(({ score }) => score >= least))
    drawPoints(context, box.points ?? [], region, colourOf(box.index))
}

function drawPoints(context: CanvasRenderingContext2D, points: readonly Point[], region: Region, colour: string): void {
  const radius = Math.max(
    2,
    (Math.max(context.canvas.width, context.canvas.height) / 640) * (points.length > 100 ? 1.5 : 3.5)
  )
  context.lineWidth = radius / 3
  for (const { x, y } of points) {
    context.beginPath()
    context.arc(region.x + x * region.width, region.y + y * region.height, radius, 0, Math.PI * 2)
    context.fillStyle = colour
    context.fill()
    context.strokeStyle = '#fff'
    context.stroke()
  }
}

function drawOver(context: CanvasRenderingContext2D, painted: ImageData, region: Region, blend: number): void {
  context.globalAlpha = blend
  context.drawImage(onCanvas(painted), region.x, region.y, region.width, region.height)
  context.globalAlpha = 1
}

const maskColour = [20, 200, 140]

function paintMask({ width, height, values }: Mask): ImageData {
  const painted = new ImageData(width, height)
  values.forEach((value, i) => paintPixel(painted.data, i, maskColour, value * 255))
  return painted
}

function paintMap({ width, height, best, labels }: ClassMap): ImageData {
  const painted = new ImageData(width, height)
  const known = new Map<number, readonly number[]>()
  best.forEach((index, i) => {
    const colour = known.get(index) ?? bytesOf(index, isBackground(index, labels) ? 0 : 255)
    known.set(index, colour)
    paintPixel(painted.data, i, colour, colour[3])
  })
  return painted
}

function paintPixel(data: ImageDataArray, i: number, [red, green, blue]: readonly number[], alpha: number): void {
  data[i * 4] = red
  data[i * 4 + 1] = green
  data[i * 4 + 2] = blue
  data[i * 4 + 3] = alpha
}

export const isBackground = (index: number, labels: readonly string[] | undefined) =>
  index === 0 && /^background$/i.test(labels?.[0] ?? '')

/** The colour's bytes, which only a canvas knows. */
function bytesOf(index: number, alpha: number): number[] {
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = 1
  const context = contextOf(canvas)
  context.fillStyle = colourOf(index)
  context.fillRect(0, 0, 1, 1)
  return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3), alpha]
}

/** The model's picture, and left of the seam the photo that it was made from. */
function drawImage(canvas: HTMLCanvasElement, drawing: Drawing, { grey, pixels }: Image): void {
  const { photo, region } = drawing
  if (!region) return
  const part = clipped(region, photo.canvas)
  const used = {
    width: (pixels.width * part.width) / region.width,
    height: (pixels.height * part.height) / region.height
  }
  canvas.width = Math.round(used.width)
  canvas.height = Math.round(used.height)
  const context = contextOf(canvas)
  context.imageSmoothingQuality = 'high'
  const whole = [0, 0, canvas.width, canvas.height] as const
  context.drawImage(photo.canvas, part.x, part.y, part.width, part.height, ...whole)
  const seam = Math.round(canvas.width * (1 - drawing.blend))
  context.save()
  context.beginPath()
  context.rect(seam, 0, canvas.width - seam, canvas.height)
  context.clip()
  // A model that makes brightness only leaves the photo its colours.
  if (grey) context.globalCompositeOperation = 'luminosity'
  context.drawImage(onCanvas(pixels), 0, 0, used.width, used.height, ...whole)
  context.restore()
  if (seam > 0) {
    context.fillStyle = '#fff'
    context.fillRect(seam - 1, 0, 2, canvas.height)
  }
}

function clipped({ x, y, width, height }: Region, { width: w, height: h }: HTMLCanvasElement): Region {
  const [left, top] = [Math.max(x, 0), Math.max(y, 0)]
  return { x: left, y: top, width: Math.min(x + width, w) - left, height: Math.min(y + height, h) - top }
}

function onCanvas(pixels: ImageData): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  canvas.width = pixels.width
  canvas.height = pixels.height
  contextOf(canvas).putImageData(pixels, 0, 0)
  return canvas
}
