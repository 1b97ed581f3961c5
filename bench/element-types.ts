// What a run pays for the types of a model's inputs and outputs: one network whose edge has each type, in turns with the same in
// float32. `npm run bench:types [-- NETWORK --seconds S]`.
import { interleave, ratioOf, spreadOf } from '../cli/measure/index.js'
import { table } from '../cli/terminal/index.js'
import { compile } from '../compiler/index.js'
import { zoo } from '../models/index.js'
import { InferenceSession, Tensor, type Type } from '../runtime/index.js'
import onnxProto from '../schema/onnx.js'
import { numberOf, readArguments } from './command/arguments.js'
import { fail } from './command/fail.js'

const { ModelProto, NodeProto } = onnxProto.onnx
const { AttributeType } = onnxProto.onnx.AttributeProto

const usage = 'npm run bench:types -- [NETWORK] [--seconds S]'
const { values, positionals } = readArguments(usage, { seconds: '20' })
const seconds = numberOf('seconds', values.seconds, 0, false)
const name = positionals[0] ?? 'mobilenet-v2'
const network = zoo[name] ?? fail(`no network "${name}" in the zoo`)

/** Element types by ONNX's numbers. */
const types: Readonly<Partial<Record<Type, number>>> = {
  float32: 1,
  float16: 10,
  float64: 11,
  int64: 7,
  uint64: 13,
  int32: 6,
  uint32: 12,
  int16: 5,
  uint16: 4,
  int8: 3,
  uint8: 2,
  bool: 9
}

/** The network between two Casts: its input and its output have another type. */
function withEdge(bytes: Uint8Array, elemType: number): Uint8Array {
  const model = ModelProto.decode(bytes)
  const graph = model.graph!
  const cast = (input: string, output: string, to: number) =>
    NodeProto.create({
      opType: 'Cast',
      input: [input],
      output: [output],
      attribute: [{ name: 'to', type: AttributeType.INT, i: to }]
    })
  const [input, output] = [graph.input![0], graph.output![0]]
  const [given, result] = [input.name!, output.name!]
  for (const port of [input, output]) port.type!.tensorType!.elemType = elemType
  input.name = `${given}.edge`
  output.name = `${result}.edge`
  graph.node = [cast(input.name, given, 1), ...graph.node!, cast(result, output.name, elemType)]
  return ModelProto.encode(model).finish()
}

const bytes = network.build({})
const contestants = await Promise.all(
  Object.entries(types).map(async ([type, elemType]) => {
    const session = await InferenceSession.create(await compile(withEdge(bytes, elemType)))
    const [{ name, shape }] = session.inputMetadata
    const dims = shape.map(size => (typeof size === 'number' ? size : 1))
    const count = dims.reduce((a, b) => a * b, 1)
    const numbers = Array.from({ length: count }, () => Math.floor(Math.random() * 2))
    const data = type.endsWith('int64') ? numbers.map(BigInt) : numbers
    const feeds = { [name]: new Tensor(type as Type, data, dims) }
    return { type, run: () => session.run(feeds) }
  })
)
const times = await interleave(contestants, { seconds, least: 9 })
const rows = contestants.map(({ type }, i) => {
  const { median, low, high } = spreadOf(times[i])
  const share = (ratioOf(times[0], times[i]).median - 1) * 100
  return [type, median.toFixed(2), `${low.toFixed(2)}-${high.toFixed(2)}`, i ? `${share.toFixed(1)} %` : '']
})
console.log(`${name}, one image, one thread: ${times[0].length} runs of each in turns`)
console.log(table(['type', 'ms', 'quartiles', 'over float32'], rows, ['left', 'right', 'right', 'right']))
process.exit()
