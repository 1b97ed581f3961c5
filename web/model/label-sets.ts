import type { Fed } from '../outputs/output.js'

/** Names of the classes of well-known data sets, for models that come without labels. */
const coco80 = `person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,parking meter,
bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,frisbee,skis,snowboard,
sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,wine glass,cup,fork,knife,spoon,bowl,
banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,potted plant,bed,dining table,toilet,tv,
laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,refrigerator,book,clock,vase,scissors,teddy bear,
hair drier,toothbrush`
const voc21 = `background,aeroplane,bicycle,bird,boat,bottle,bus,car,cat,chair,cow,dining table,dog,horse,motorbike,person,
potted plant,sheep,sofa,train,tv monitor`
const cifar10 = 'airplane,automobile,bird,cat,deer,dog,frog,horse,ship,truck'

const cityscapes19 = `road,sidewalk,building,wall,fence,pole,traffic light,traffic sign,vegetation,terrain,sky,person,rider,car,
truck,bus,train,motorcycle,bicycle`
const fashion = 'T-shirt,trousers,pullover,dress,coat,sandal,shirt,sneaker,bag,ankle boot'

/** COCO's 80 classes as numbered from 1 to 90 by its authors, with 0 for the background: numbers that no class has are left out. */
const unused = new Set([12, 26, 29, 30, 45, 66, 68, 69, 71, 83])

export interface LabelSet {
  readonly kind: 'classes' | 'boxes' | 'map'
  /** Whether a model may be trained on the set; where the number of classes is not known, its name has to say so. */
  fits(fed: Fed, classes: number | undefined): boolean
  readonly labels: readonly string[]
  /** What has to be true for the names to be right, where the shape alone speaks for them. */
  readonly caveat?: string
}

const namesOf = (text: string) => text.split(',').map(name => name.trim())
const named = (pattern: RegExp) => (fed: Fed) => pattern.test(fed.knowledge.name)

const set = (kind: LabelSet['kind'], fits: LabelSet['fits'], names: string, caveat?: string): LabelSet => ({
  kind,
  fits,
  labels: namesOf(names),
  caveat
})

function coco91(): string[] {
  const names = namesOf(coco80)
  return ['background', ...Array.from({ length: 90 }, (_, i) => (unused.has(i + 1) ? 'nothing' : names.shift()!))]
}

const isDigits = ({ planes, height, width }: Fed) => planes === 1 && height === 28 && width === 28
const likelyCoco = named(/coco|yolo|rt.?detr/)
const byAuthors = named(/ssd|r-?cnn|retinanet|efficientdet|detr/)

export const labelSets: LabelSet[] = [
  { kind: 'boxes', fits: fed => byAuthors(fed) && !named(/yolo|rt.?detr/)(fed), labels: coco91() },
  set('boxes', named(/face/), 'face'),
  set('boxes', (fed, classes) => classes === 80 || likelyCoco(fed), coco80),
  set('map', () => true, voc21, 'The names are Pascal VOC’s, which most models of 21 classes have learnt.'),
  set(
    'map',
    () => true,
    cityscapes19,
    'The names are those of Cityscapes, which most models of 19 classes have learnt.'
  ),
  set('classes', named(/fashion/), fashion),
  set('classes', named(/mnist|digit/), '0,1,2,3,4,5,6,7,8,9'),
  set(
    'classes',
    isDigits,
    '0,1,2,3,4,5,6,7,8,9',
    'The names are right if it has learnt MNIST’s digits; other sets have the same shape.'
  ),
  set('classes', named(/cifar/), cifar10),
  set('classes', named(/vww|wake/), 'no person,person'),
  set('classes', named(/face/), 'face'),
  set('classes', named(/cls/), 'upright,upside down')
]

const isImageNet = (size: number | string) => size === 1000 || size === 1001

/** ImageNet's names are many, and come only where a model has that many outputs. */
export async function fetchNames(shapes: readonly (readonly (number | string)[])[]): Promise<void> {
  if (!shapes.some(shape => shape.some(isImageNet)) || labelSets.some(({ labels }) => labels.length === 1000)) return
  const { IMAGENET_CLASSES: names } = await import('@tensorflow-models/mobilenet/dist/imagenet_classes.js')
  labelSets.push({ kind: 'classes', fits: ({ planes }) => planes === 3, labels: Object.values(names) })
}
