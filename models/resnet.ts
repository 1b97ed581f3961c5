// ResNet. He, Zhang, Ren and Sun 2016, "Deep residual learning for image recognition", table 1 and figs. 3 and 5, with
// projection shortcuts where the shape changes (option B) and the stride on the 3x3 layer of a bottleneck, as in
// Goyal et al. 2017. With groups it is ResNeXt: Xie et al. 2017, "Aggregated residual transformations", table 1. With
// group normalisation: Wu and He 2018, "Group normalization", section 4.1 (32 groups).
import { type BuildOptions, GraphBuilder } from './builder/builder.js'
import type { ConvOptions, NormOptions, Tensor } from './builder/tensor.js'

export interface ResNetOptions {
  /** Blocks in each of the four stages. */
  layers: number[]
  block: 'basic' | 'bottleneck'
  shortcuts?: boolean
  norm?: 'batch' | 'group'
  /** Cardinality, and width of one group in the first stage. */
  groups?: number
  groupWidth?: number
  /** Replaces the last stage's stride by these dilations, one a block (the multi-grid of DeepLab v3). */
  dilations?: number[]
}

interface Block {
  name: string
  width: number
  stride: number
  dilation: number
}

/** All layers up to the last stage. */
export function resnetFeatures(input: Tensor, options: ResNetOptions): Tensor {
  const { layers, block, shortcuts = true, norm = 'batch', groups = 1, groupWidth = 64, dilations } = options
  const expansion = block === 'bottleneck' ? 4 : 1
  const gain = shortcuts ? 0.3 : 1

  const conv = (x: Tensor, name: string, channels: number, settings: ConvOptions & NormOptions) => {
    const y = x.conv(name, channels, { bias: false, init: 'he-fan-out', ...settings })
    return norm === 'batch' ? y.batchNorm(undefined, settings) : y.groupNorm(32, settings)
  }

  const branch = (x: Tensor, { name, width, stride, dilation }: Block) => {
    const three = { kernel: 3, stride, pad: dilation, dilation }
    if (block === 'basic') {
      const y = conv(x, `${name}.conv1`, width, three).relu()
      return conv(y, `${name}.conv2`, width, { kernel: 3, pad: 1, gain })
    }
    const inner = (width * groupWidth * groups) / 64
    const y = conv(x, `${name}.conv1`, inner, { kernel: 1 }).relu()
    const z = conv(y, `${name}.conv2`, inner, { ...three, groups }).relu()
    return conv(z, `${name}.conv3`, width * expansion, { kernel: 1, gain })
  }

  const unit = (x: Tensor, settings: Block) => {
    const { name, width, stride } = settings
    const y = branch(x, settings)
    if (!shortcuts) return y.relu()
    const same = stride === 1 && x.channels === width * expansion
    const shortcut = same ? x : conv(x, `${name}.downsample`, width * expansion, { kernel: 1, stride })
    return y.add(shortcut, `${name}.add`).relu()
  }

  let x = conv(input, 'conv1', 64, { kernel: 7, stride: 2, pad: 3 }).relu()
  x = x.maxPool({ kernel: 3, stride: 2, pad: 1 }, 'maxpool')
  layers.forEach((blocks, stage) => {
    const dilated = stage === 3 && dilations !== undefined
    for (let i = 0; i < blocks; i++) {
      const stride = stage > 0 && i === 0 && !dilated ? 2 : 1
      const dilation = dilated ? dilations[i] : 1
      x = unit(x, { name: `layer${stage + 1}.${i}`, width: 64 << stage, stride, dilation })
    }
  })
  return x
}

const depths: Record<number, ResNetOptions> = {
  18: { layers: [2, 2, 2, 2], block: 'basic' },
  34: { layers: [3, 4, 6, 3], block: 'basic' },
  50: { layers: [3, 4, 6, 3], block: 'bottleneck' },
  101: { layers: [3, 4, 23, 3], block: 'bottleneck' },
  152: { layers: [3, 8, 36, 3], block: 'bottleneck' }
}

function classifier(title: string, settings: ResNetOptions, options: BuildOptions, opset?: number): Uint8Array {
  const graph = new GraphBuilder(title, options, opset)
  const x = resnetFeatures(graph.input([3, 224, 224]), settings)
    .globalAveragePool('avgpool')
    .flatten()
  return graph.finish(x.gemm('fc', options.classes ?? 1000, 'xavier'))
}

export function resnet(depth: 18 | 34 | 50 | 101 | 152, options: BuildOptions = {}): Uint8Array {
  return classifier(`resnet${depth}`, depths[depth], options)
}

/** The 34-layer network without shortcuts that the paper compares with (fig. 3, middle). */
export function plain34(options: BuildOptions = {}): Uint8Array {
  return classifier('plain34', { ...depths[34], shortcuts: false }, options)
}

/** ResNeXt-50 (32x4d). */
export function resnext50(options: BuildOptions = {}): Uint8Array {
  return classifier('resnext50', { ...depths[50], groups: 32, groupWidth: 4 }, options)
}

/** GroupNormalization has a scale and a shift per channel since opset 21. */
export function resnet50GroupNorm(options: BuildOptions = {}): Uint8Array {
  return classifier('resnet50-groupnorm', { ...depths[50], norm: 'group' }, options, 21)
}
