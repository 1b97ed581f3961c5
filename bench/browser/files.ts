// The files of one network for every runtime: Cairn's, ONNX, a plan for TensorFlow.js and .tflite, in floats and in bytes.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ort from 'onnxruntime-node'
import { decodePlan, encodePlan, type Feed, modelFor, type Subject, subjectOf } from '../../cli/measure/index.js'
import { zoo } from '../../models/index.js'
import { quantizedModel } from '../int8/qdq.js'
import { inputShape, network } from '../networks.js'
import type { Laid, Numbers, PageEngine } from './page/task.js'
import { tflite } from './tflite/convert.js'
import { separated } from './tflite/idioms.js'
import { rangesOf } from './tflite/ranges.js'

/** One runtime's file, or why there is none. */
export interface NetworkFile {
  readonly engine: PageEngine
  readonly numbers: Numbers
  readonly bytes: Uint8Array | string
  readonly inputs?: readonly Laid[]
  readonly outputs?: readonly Laid[]
}

export interface NetworkFiles {
  readonly name: string
  readonly macs: number
  readonly feeds: readonly Feed[]
  readonly files: readonly NetworkFile[]
}

/** MediaPipe's selfie segmentation as its npm package ships it, beside the ONNX file that was made of it. */
export const selfie = 'selfie-segmentation'

const shared = join(process.env.CAIRN_SHARED ?? fileURLToPath(new URL('../../../../shared', import.meta.url)), 'models')
const selfieOnnx = join(shared, 'selfie_segmentation_256.onnx')

/** The .tflite file of the npm package, where that is installed and the ONNX file lies beside the checkout. */
function selfieTflite(): string | undefined {
  if (!existsSync(selfieOnnx)) return undefined
  try {
    const entry = createRequire(import.meta.url).resolve('@mediapipe/selfie_segmentation')
    return join(dirname(entry), 'selfie_segmentation.tflite')
  } catch {
    return undefined
  }
}

export const hasSelfie = () => selfieTflite() !== undefined

export async function filesOf(name: string, numbers: readonly Numbers[]): Promise<NetworkFiles> {
  const float = name === selfie ? subjectOf(name, readFileSync(selfieOnnx)) : network(name)
  const files = [
    ...(numbers.includes('float32') ? await floatFiles(float) : []),
    ...(numbers.includes('int8') && name !== selfie ? await byteFiles(name, float) : [])
  ]
  return { name, macs: float.macs, feeds: float.feeds, files }
}

async function floatFiles(subject: Subject): Promise<NetworkFile[]> {
  const given = { numbers: 'float32' } as const
  const plan = orWhy(() => modelFor('tfjs', subject))
  return [
    { ...given, engine: 'cairn', bytes: subject.file },
    { ...given, engine: 'ort-web', bytes: subject.source!.onnx },
    { ...given, engine: 'tfjs', bytes: plan },
    { ...given, engine: 'litert', ...(await liteFile(subject, plan)) }
  ]
}

async function byteFiles(name: string, float: Subject): Promise<NetworkFile[]> {
  const [input] = float.feeds
  const shape = inputShape(name)
  const calibrating = [0, 1].map(() => noise(shape.reduce((a, b) => a * b, 1)))
  const onnx = await quantizedModel(
    zoo[name].build({ batch: 1 }),
    calibrating.map(data => ({ [input.name]: new ort.Tensor('float32', data, shape) })),
    { activations: 'uint8', perChannel: true }
  )
  const given = { numbers: 'int8' } as const
  const feeds = calibrating.map(data => [{ ...input, data }])
  return [
    { ...given, engine: 'cairn', bytes: subjectOf(name, onnx).file },
    { ...given, engine: 'ort-web', bytes: onnx },
    {
      ...given,
      engine: 'litert',
      ...(await liteFile(
        float,
        orWhy(() => modelFor('tfjs', float)),
        feeds
      ))
    }
  ]
}

const noise = (length: number) => Float32Array.from({ length }, () => Math.random() * 2 - 1)

/** The .tflite file, in bytes where there are feeds to calibrate with. */
async function liteFile(
  { name, feeds }: Subject,
  bytes: Uint8Array | string,
  calibrating?: readonly (readonly Feed[])[]
): Promise<Pick<NetworkFile, 'bytes' | 'inputs' | 'outputs'>> {
  if (typeof bytes === 'string') return { bytes }
  const decoded = decodePlan(bytes)
  const shapes = Object.fromEntries(feeds.map(({ name, dims }) => [name, dims]))
  const inputs = decoded.plan.inputs.map(({ name, order }) => ({ name, order, dims: shapes[name] }))
  const { outputs } = decoded.plan
  if (name === selfie) return { bytes: new Uint8Array(readFileSync(selfieTflite()!)), inputs, outputs }
  try {
    const plan = separated(decoded.plan)
    const ranges = calibrating && (await rangesOf(encodePlan(plan, [decoded.weights]), calibrating))
    return { bytes: tflite({ ...decoded, plan }, shapes, ranges), inputs, outputs }
  } catch (error) {
    return { bytes: (error as Error).message }
  }
}

function orWhy(work: () => Uint8Array): Uint8Array | string {
  try {
    return work()
  } catch (error) {
    return (error as Error).message
  }
}
