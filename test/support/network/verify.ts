// Whole networks: one compiled file, several shapes, against onnxruntime-node.
import { InferenceSession } from '../../../runtime/index.js'
import { drawPage } from '../../../scripts/demo/page.js'
import { compileModel, numbersOfTensors, tensorsOf } from '../cairn.js'
import { assertClose, tolerance } from '../compare.js'
import { type DType, decodeModel, encodeModel, sizeOf } from '../onnx/model.js'
import { type Named, Oracle } from '../onnx/oracle.js'
import { steadyRun } from '../onnx/steady.js'
import { Random } from '../random.js'

/** Sizes for the free dimensions of one run: batch, height, width. */
export interface Shape {
  readonly batch: number
  readonly height?: number
  readonly width?: number
}

export type Fill = (dims: readonly number[], random: Random) => Float32Array

/** Noise, as good as anything for random weights. */
export const noise: Fill = (dims, random) => Float32Array.from(random.values(sizeOf(dims)))

/**
 * Something like a picture for learned weights, which noise drives to where every output is next to nothing: waves,
 * rectangles, lines of strokes as of text, and a little noise, between `low` and `high`.
 */
export const picture =
  (low: number, high: number): Fill =>
  (dims, random) => {
    const [height, width] = dims.slice(-2)
    const waves = Array.from({ length: 4 }, () => [random.uniform(-6, 6), random.uniform(-6, 6), random.uniform(0, 6)])
    const boxes = Array.from({ length: 12 }, () => {
      const [top, left] = [random.uniform(0, 0.9), random.uniform(0, 0.9)]
      return {
        top,
        left,
        bottom: top + random.uniform(0.03, 0.3),
        right: left + random.uniform(0.02, 0.4),
        shade: random.uniform(-1, 1)
      }
    })
    for (let line = 0; line < 3; line++) {
      const [top, tall] = [0.1 + line * 0.3, 0.16]
      boxes.push({ top: top - 0.04, left: 0.04, bottom: top + tall + 0.04, right: 0.96, shade: 0.9 })
      for (let left = 0.07; left < 0.92; left += random.uniform(0.025, 0.05)) {
        const cut = random.chance(0.5) ? tall : random.uniform(0.03, tall)
        boxes.push({ top: top + tall - cut, left, bottom: top + tall, right: left + 0.014, shade: -0.9 })
        if (random.chance(0.6)) boxes.push({ top, left, bottom: top + 0.03, right: left + 0.035, shade: -0.9 })
      }
    }
    const data = new Float32Array(sizeOf(dims))
    for (let i = 0; i < data.length; i++) {
      const [y, x] = [(Math.floor(i / width) % height) / height, (i % width) / width]
      const channel = Math.floor(i / (width * height))
      let value = waves.reduce((sum, [a, b, c]) => sum + Math.sin(a * x + b * y + c + channel) / 6, 0)
      for (const box of boxes) if (y > box.top && y < box.bottom && x > box.left && x < box.right) value = box.shade
      value += random.uniform(-0.05, 0.05)
      data[i] = low + (high - low) * (Math.min(Math.max(value, -1), 1) * 0.5 + 0.5)
    }
    return data
  }

/** Lines of random letters and digits, -1 to 1, as text recognisers are fed. */
export const textLine: Fill = (dims, random) => {
  const [batch, channels, height, width] = dims
  const scale = Math.floor(height / 10)
  const letters = Math.floor(width / (6 * scale)) - 1
  const data = new Float32Array(sizeOf(dims))
  for (let n = 0; n < batch; n++) {
    const text = Array.from({ length: letters }, () => random.pick(alphabet)).join('')
    const page = drawPage(width, height, [{ text, left: 2 * scale, top: Math.floor((height - 7 * scale) / 2), scale }])
    for (let c = 0; c < channels; c++)
      for (let i = 0; i < height * width; i++)
        data[(n * channels + c) * height * width + i] = page.data[i * 3 + c] / 127.5 - 1 + random.uniform(-0.02, 0.02)
  }
  return data
}

const alphabet = [...'ABCDEFGHKLMNPRSTUVWXYZabcdefhikmnorstuvwxyz0123456789']

/** Inputs; a free dimension takes the size of its place: batch first, height third, width fourth. */
export function feedsFor(
  session: InferenceSession,
  { batch, height = 64, width = 96 }: Shape,
  random: Random,
  fill: Fill
): Named {
  return Object.fromEntries(
    session.inputMetadata.map(({ name, type, shape }) => {
      const dims = shape.map((size, axis) => (typeof size === 'number' ? size : [batch, 3, height, width][axis]))
      return [name, { dtype: type as DType, dims, data: fill(dims, random) }]
    })
  )
}

export interface VerifyOptions {
  readonly fill?: Fill
  readonly limit?: number
  /** Outputs that are smaller everywhere count as this large. */
  readonly floor?: number
  /** Draws again while the last bits of the inputs decide what comes out. */
  readonly steady?: boolean
}

/** Compiles once, runs at every shape on both sides; the largest difference of two elements. */
export async function verifyModel(
  model: Uint8Array,
  shapes: readonly Shape[],
  name: string,
  { fill = noise, limit = tolerance, floor, steady = false }: VerifyOptions = {}
): Promise<number> {
  const session = await InferenceSession.create(compileModel(model))
  const oracle = await Oracle.load(model, true)
  const random = new Random(name)
  let furthest = 0
  for (const shape of shapes) {
    const draw = () => feedsFor(session, shape, random, fill)
    const { feeds, expected } = await steadyRun(oracle, draw, random, { limit, floor, pairs: steady ? 2 : 0 })
    const actual = numbersOfTensors(await session.run(tensorsOf(feeds)))
    assertClose(actual, expected, limit, floor)
    for (const [output, { data }] of Object.entries(expected))
      for (let i = 0; i < data.length; i++) furthest = Math.max(furthest, Math.abs(actual[output].data[i] - data[i]))
  }
  await session.release()
  await oracle.release()
  return furthest
}

/** The model with what its last Sigmoids read as outputs; undefined when no output comes from one. */
export function withoutSigmoid(model: Uint8Array): Uint8Array | undefined {
  const proto = decodeModel(model)
  const graph = proto.graph!
  const before = new Map(
    graph.node!.filter(({ opType }) => opType === 'Sigmoid').map(node => [node.output![0], node.input![0]])
  )
  if (!graph.output!.some(({ name }) => before.has(name!))) return undefined
  const output = graph.output!.map(({ name }) => ({ name: before.get(name!) ?? name }))
  return encodeModel({ ...proto, graph: { ...graph, output } })
}
