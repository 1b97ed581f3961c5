// The model zoo: published convolutional networks, built node by node with random weights.
import { alexnet, alexnetOneTower } from './alexnet.js'
import { bnInception } from './bn-inception.js'
import type { BuildOptions, Dim } from './builder/builder.js'
import { densenet } from './densenet.js'
import { fasterRcnn } from './detect/faster-rcnn.js'
import { googlenet, googlenetAuxiliary } from './googlenet.js'
import { inceptionV3 } from './inception-v3.js'
import { lenet5, lenetCaffe } from './lenet.js'
import { efficientnetB0 } from './mobile/efficientnet.js'
import { mobilenetV1, mobilenetV2 } from './mobile/mobilenet.js'
import { mobilenetV3 } from './mobile/mobilenet-v3.js'
import { shufflenetV2 } from './mobile/shufflenet-v2.js'
import { squeezenet } from './mobile/squeezenet.js'
import { networkInNetwork } from './nin.js'
import { overfeat, overfeatAccurate } from './overfeat.js'
import { houseNumbers } from './pooling/house-numbers.js'
import { stochasticCifar } from './pooling/stochastic.js'
import { preluNet } from './prelu-net.js'
import { plain34, resnet, resnet50GroupNorm, resnext50 } from './resnet.js'
import { plainCifar, resnetCifar } from './resnet-cifar.js'
import { deeplab } from './segment/deeplab.js'
import { unet } from './segment/unet.js'
import { vgg } from './vgg.js'
import { zfnet } from './zfnet.js'

export type { BuildOptions, Dim } from './builder/builder.js'

export interface ZooEntry {
  title: string
  paper: string
  /** Shape of the input, the batch dimension first. */
  input: Dim[]
  /** Learnable parameters with the default number of classes; a batch normalisation's statistics are none. */
  parameters: number
  build: (options?: BuildOptions) => Uint8Array
}

type Build = ZooEntry['build']

const imagenet: Dim[] = ['N', 3, 224, 224]
const cifar: Dim[] = ['N', 3, 32, 32]

function entry(title: string, paper: string, parameters: number, build: Build, input = imagenet): ZooEntry {
  return { title, paper, input, parameters, build }
}

export const zoo: Record<string, ZooEntry> = {
  lenet5: entry('LeNet-5', 'LeCun 1998', 61_706, lenet5, ['N', 1, 32, 32]),
  'lenet-caffe': entry('LeNet 20-50-500', 'LeCun 1998', 1_256_080, lenetCaffe, ['N', 1, 28, 28]),
  alexnet: entry('AlexNet', 'Krizhevsky 2012', 60_965_224, alexnet, ['N', 3, 227, 227]),
  'alexnet-one-tower': entry('AlexNet, one tower', 'Krizhevsky 2014', 61_100_840, alexnetOneTower),
  zfnet: entry('ZFNet', 'Zeiler 2014', 62_357_608, zfnet),
  overfeat: entry('OverFeat, fast', 'Sermanet 2014', 145_920_872, overfeat, ['N', 3, 231, 231]),
  'overfeat-accurate': entry('OverFeat, accurate', 'Sermanet 2014', 144_656_488, overfeatAccurate, ['N', 3, 221, 221]),
  'nin-cifar': entry('Network in Network (CIFAR)', 'Lin 2014', 966_986, networkInNetwork, cifar),
  'house-numbers': entry('House numbers, L2 pooling', 'Sermanet 2012', 582_886, houseNumbers, cifar),
  'stochastic-cifar': entry('Stochastic pooling (CIFAR)', 'Zeiler 2013', 215_562, stochasticCifar, cifar),
  vgg11: entry('VGG-11', 'Simonyan 2015', 132_863_336, options => vgg(11, options)),
  vgg13: entry('VGG-13', 'Simonyan 2015', 133_047_848, options => vgg(13, options)),
  vgg16: entry('VGG-16', 'Simonyan 2015', 138_357_544, options => vgg(16, options)),
  vgg19: entry('VGG-19', 'Simonyan 2015', 143_667_240, options => vgg(19, options)),
  googlenet: entry('GoogLeNet', 'Szegedy 2015', 6_998_552, googlenet),
  'googlenet-auxiliary': entry('GoogLeNet, auxiliary classifiers', 'Szegedy 2015', 13_378_280, googlenetAuxiliary),
  'prelu-net': entry('PReLU-net, 14 layers', 'He 2015', 75_004_200, preluNet),
  'bn-inception': entry('BN-Inception (Inception-v2)', 'Ioffe 2015', 11_194_984, bnInception),
  'inception-v3': entry('Inception-v3', 'Szegedy 2016', 23_834_568, inceptionV3, ['N', 3, 299, 299]),
  plain34: entry('Plain-34', 'He 2016', 21_623_848, plain34),
  resnet18: entry('ResNet-18', 'He 2016', 11_689_512, options => resnet(18, options)),
  resnet34: entry('ResNet-34', 'He 2016', 21_797_672, options => resnet(34, options)),
  resnet50: entry('ResNet-50', 'He 2016', 25_557_032, options => resnet(50, options)),
  resnet101: entry('ResNet-101', 'He 2016', 44_549_160, options => resnet(101, options)),
  resnet152: entry('ResNet-152', 'He 2016', 60_192_808, options => resnet(152, options)),
  'resnet50-groupnorm': entry('ResNet-50 with GroupNorm', 'Wu 2018', 25_557_032, resnet50GroupNorm),
  'resnet20-cifar': entry('ResNet-20 (CIFAR)', 'He 2016', 269_722, options => resnetCifar(20, options), cifar),
  'resnet56-cifar': entry('ResNet-56 (CIFAR)', 'He 2016', 853_018, options => resnetCifar(56, options), cifar),
  'resnet110-cifar': entry('ResNet-110 (CIFAR)', 'He 2016', 1_727_962, options => resnetCifar(110, options), cifar),
  'resnet1202-cifar': entry('ResNet-1202 (CIFAR)', 'He 2016', 19_421_274, options => resnetCifar(1202, options), cifar),
  'plain20-cifar': entry('Plain-20 (CIFAR)', 'He 2016', 269_722, options => plainCifar(20, options), cifar),
  'plain56-cifar': entry('Plain-56 (CIFAR)', 'He 2016', 853_018, options => plainCifar(56, options), cifar),
  resnext50: entry('ResNeXt-50 32x4d', 'Xie 2017', 25_028_904, resnext50),
  densenet121: entry('DenseNet-121', 'Huang 2017', 7_978_856, options => densenet(121, options)),
  densenet169: entry('DenseNet-169', 'Huang 2017', 14_149_480, options => densenet(169, options)),
  densenet201: entry('DenseNet-201', 'Huang 2017', 20_013_928, options => densenet(201, options)),
  'squeezenet1.1': entry('SqueezeNet 1.1', 'Iandola 2016', 1_235_496, squeezenet),
  'mobilenet-v1': entry('MobileNet v1', 'Howard 2017', 4_231_976, mobilenetV1),
  'mobilenet-v2': entry('MobileNet v2', 'Sandler 2018', 3_504_872, mobilenetV2),
  'mobilenet-v3-large': entry('MobileNet v3 large', 'Howard 2019', 5_483_032, options => mobilenetV3('large', options)),
  'mobilenet-v3-small': entry('MobileNet v3 small', 'Howard 2019', 2_542_856, options => mobilenetV3('small', options)),
  'shufflenet-v2': entry('ShuffleNet v2 1x', 'Ma 2018', 2_278_604, shufflenetV2),
  'efficientnet-b0': entry('EfficientNet-B0', 'Tan 2019', 5_288_548, efficientnetB0),
  'faster-rcnn': entry('Faster R-CNN, ResNet-18', 'Ren 2015', 17_383_634, fasterRcnn),
  unet: entry('U-Net', 'Ronneberger 2015', 31_030_658, unet, ['N', 1, 'H', 'W']),
  deeplab: entry('DeepLab v3, ResNet-50', 'Chen 2017', 39_638_869, deeplab)
}
