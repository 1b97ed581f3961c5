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

export interface LabelSet {
  /** What the model's name holds where its number of classes alone would not tell. */
  readonly hint: RegExp
  readonly labels: readonly string[]
}

const set = (hint: RegExp, names: string): LabelSet => ({ hint, labels: names.split(',').map(name => name.trim()) })

export const labelSets: readonly LabelSet[] = [
  set(/./, coco80),
  set(/./, voc21),
  set(/cifar/, cifar10),
  set(/vww|wake/, 'no person,person'),
  set(/face/, 'face'),
  set(/cls/, 'upright,upside down')
]
