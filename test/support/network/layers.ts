// The layers that blocks of random networks are built from.
import { float } from '../onnx/model.js'
import type { FeatureMap, Net } from './net.js'

const simple = [
  'Relu',
  'LeakyRelu',
  'Sigmoid',
  'Tanh',
  'Elu',
  'HardSigmoid',
  'HardSwish',
  'Softplus',
  'Selu',
  'Erf',
  'Abs',
  'Neg'
]

/** Functions of one number that the opset has. */
export const simpleFor = (opset: number) => simple.filter(op => op !== 'HardSwish' || opset >= 14)

/** Any function of one number, also as exporters write it with several nodes. */
export function activation(net: Net, x: FeatureMap): FeatureMap {
  const { random, model } = net
  const times = (a: string, b: string) => ({ ...x, name: model.add('Mul', random.chance(0.5) ? [a, b] : [b, a]) })
  switch (random.int(0, 12)) {
    case 0:
      return times(x.name, model.add('Sigmoid', [x.name]))
    case 1:
      return net.like(x, 'Clip', [model.scalar(random.pick([0, -1])), model.scalar(random.pick([6, 1, 0.5]))])
    case 2:
      return net.like(x, 'PRelu', [random.chance(0.7) ? net.perChannel(x.c) : model.weights([1])])
    case 3: {
      const clipped = model.add('Clip', [model.add('Add', [x.name, model.scalar(3)]), model.scalar(0), model.scalar(6)])
      return random.chance(0.5)
        ? times(x.name, model.add('Div', [clipped, model.scalar(6)]))
        : { ...x, name: model.add('Div', [times(x.name, clipped).name, model.scalar(6)]) }
    }
    case 4:
      return times(x.name, model.add('Tanh', [model.add('Softplus', [x.name])]))
    case 5: {
      const erf = model.add('Erf', [model.add('Div', [x.name, model.scalar(Math.SQRT2)])])
      const product = times(x.name, model.add('Add', [erf, model.scalar(1)]))
      return { ...x, name: model.add('Mul', [product.name, model.scalar(0.5)]) }
    }
    case 6:
      return net.like(x, 'LeakyRelu', [], { alpha: float(random.uniform(0.05, 0.5)) })
    case 7:
      return times(x.name, model.add('HardSigmoid', [x.name], { alpha: float(1 / 6) }))
    default:
      return net.like(x, random.pick(random.chance(0.5) ? ['Relu'] : simpleFor(model.opset)))
  }
}

export const maybe = (net: Net, x: FeatureMap, probability: number, then: (net: Net, x: FeatureMap) => FeatureMap) =>
  net.random.chance(probability) ? then(net, x) : x

export const norm = (net: Net, x: FeatureMap) => net.norm(x)

/** Convolution, normalisation and activation, each of the last two perhaps missing. */
export function layer(net: Net, x: FeatureMap, filters?: number, kind?: number): FeatureMap {
  return maybe(net, maybe(net, net.conv(x, filters, kind), 0.5, norm), 0.6, activation)
}

/** A convolution that keeps height and width. */
export function sameConv(net: Net, x: FeatureMap, filters: number): FeatureMap {
  const { model, random } = net
  const [kh, kw] = [random.pick([1, 3, 5]), random.pick([1, 3, 3])]
  const limit = 2 / Math.sqrt(x.c * kh * kw)
  const weights = model.weights([filters, x.c, kh, kw], [-limit, limit])
  const [ph, pw] = [(kh - 1) / 2, (kw - 1) / 2]
  return { ...x, name: model.add('Conv', [x.name, weights], { pads: [ph, pw, ph, pw] }), c: filters }
}
