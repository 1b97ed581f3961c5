import { type Feed, type Subject, subjectOf } from '../cli/measure/index.js'
import { halfBits, nearestHalves } from '../cli/model/index.js'
import { zoo } from '../models/index.js'
import { fail } from './command/fail.js'
import { halfModel } from './gpu/half-model.js'

/** The networks over which means are taken. */
export const measured = [
  'mobilenet-v2',
  'squeezenet1.1',
  'googlenet',
  'resnet18',
  'resnet50',
  'densenet121',
  'mobilenet-v3-large',
  'mobilenet-v3-small',
  'shufflenet-v2',
  'efficientnet-b0',
  'inception-v3',
  'resnext50',
  'alexnet',
  'vgg16'
]

/** Those, and two whose outputs are maps. */
export const usual: readonly string[] = [...measured, 'unet', 'deeplab']

/** One picture, 256 pixels wide and high where the network leaves that open. */
export function inputShape(name: string): number[] {
  return zoo[name].input.map((dim, axis) => (typeof dim === 'number' ? dim : axis ? 256 : 1))
}

/** The sizes that a network leaves open, by name. */
function sizesOf(name: string): Record<string, number> {
  const shape = inputShape(name)
  return Object.fromEntries(zoo[name].input.flatMap((dim, i) => (typeof dim === 'string' ? [[dim, shape[i]]] : [])))
}

/** The names that were asked for, or all of `fallback`. */
export function pickNetworks(names: readonly string[], fallback: readonly string[]): readonly string[] {
  for (const name of names) if (!zoo[name]) fail(`no network "${name}"; ${Object.keys(zoo).join(', ')} are allowed`)
  return names.length ? names : fallback
}

/** What onnxruntime computes on the CPU, for comparison. */
export interface Reference {
  readonly onnx: Uint8Array
  readonly feeds: readonly Feed[]
}

/** A network in half precision, inputs too; and the one in single precision that computes on these inputs. */
export function halfNetwork(name: string): { readonly subject: Subject; readonly reference: Reference } {
  const onnx = zoo[name].build({ batch: 1 })
  const subject = subjectOf(name, halfModel(onnx), sizesOf(name), { weights: 'f16' })
  const numbers = subject.feeds.map(({ data }) => nearestHalves(data as Float32Array))
  const feeds = (type: string, arrays: readonly Feed['data'][]) =>
    subject.feeds.map((feed, i) => ({ ...feed, type, data: arrays[i] }))
  return {
    subject: { ...subject, feeds: feeds('float16', numbers.map(halfBits)) },
    reference: { onnx, feeds: feeds('float32', numbers) }
  }
}

/** A network of the zoo at batch 1, which is fixed in the model too: what peers can make of that, they may. */
export function network(name: string): Subject {
  return subjectOf(name, zoo[name].build({ batch: 1 }), sizesOf(name))
}
