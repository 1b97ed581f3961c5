import type { Inspection } from 'cairnjs/compiler'
import { type Preparation, picturePort } from '../photo/prepare.js'

/** The preparation that a model most likely was trained with, and what speaks for it. */
export interface Guess {
  readonly preparation: Preparation
  readonly why: string
}

const usual: Preparation = { values: 'imagenet', channels: 'RGB', fit: 'inner', size: 320 }

/** What families of models expect, by their names; the first that fits counts. */
const families: readonly [RegExp, Partial<Preparation>][] = [
  [/yolox/, { values: 'bytes', channels: 'BGR', fit: 'pad' }],
  [/fastestdet/, { values: 'unit', channels: 'BGR', fit: 'stretch' }],
  [/yolo/, { values: 'unit', fit: 'pad' }],
  [/ultraface|rfb|retinaface|blaze/, { values: 'signed', fit: 'stretch' }],
  [/ppocr.*det|text.?det/, { values: 'imagenet', channels: 'BGR', fit: 'stretch', size: 640 }],
  [/ppocr|ch_pp/, { values: 'signed', channels: 'BGR', fit: 'stretch' }],
  [/candy|mosaic|udnie|rain.?princess|pointilism|style/, { values: 'bytes', channels: 'BGR', fit: 'centre' }],
  [/super.?res|srcnn|espcn/, { values: 'unit', fit: 'stretch', size: 224 }],
  [/selfie|segment|tbefn|low.?light|unet|u2net|vww|wake/, { values: 'unit', fit: 'stretch' }],
  [/deeplab|fcn/, { values: 'imagenet', fit: 'stretch' }],
  [/mnist/, { values: 'bytes', fit: 'centre' }],
  [/resnet8/, { values: 'bytes', fit: 'centre' }],
  [/cifar/, { values: 'imagenet', fit: 'centre' }],
  [/squeezenet.*imagenet/, { values: 'centred', channels: 'BGR', fit: 'centre' }]
]

/** An entry of the catalogue says it better than its name; that says it better than its shape. */
export function guess(names: readonly string[], model: Inspection, known?: Partial<Preparation>): Guess {
  if (known) return { preparation: { ...usual, ...known }, why: 'as the list of models says' }
  const name = names.join(' ').toLowerCase()
  const family = families.find(([pattern]) => pattern.test(name))
  if (family) return { preparation: { ...usual, ...family[1] }, why: 'from the name' }
  const classes = model.outputs.map(({ shape }) => shape.find((size, axis) => axis > 0 && Number(size) > 1))
  if (classes.includes(1001))
    return { preparation: { ...usual, values: 'signed', fit: 'centre' }, why: 'from its 1001 classes' }
  const port = picturePort(model.inputs)
  if (model.outputs.some(({ shape }) => isColumns(shape) || isRows(shape)))
    return { preparation: { ...usual, values: 'unit', fit: 'pad' }, why: 'from the shape of its output, as YOLO’s' }
  if (port?.channels === 1)
    return { preparation: { ...usual, values: 'unit', fit: 'centre' }, why: 'from its one channel' }
  const isMap = model.outputs.some(({ shape }) => shape.length === 4 && shape.slice(2).every(size => size !== 1))
  if (isMap) return { preparation: { ...usual, fit: 'stretch' }, why: 'from the shape of its output' }
  return { preparation: usual, why: 'as most ImageNet models' }
}

type Shape = readonly (number | string)[]

/** Many candidates, each a column of four numbers and its classes' scores: YOLOv8 and its successors. */
const isColumns = (shape: Shape) =>
  shape.length === 3 && Number(shape[1]) > 4 && Number(shape[1]) < 256 && Number(shape[2]) > 1000

/** Rows that are left behind NonMaxSuppression. */
const isRows = (shape: Shape) => shape.length === 3 && (shape[2] === 6 || shape[2] === 7) && Number(shape[1]) >= 100
