// Models with functions of their own, fields that are newer than onnx-proto's schema included.
import onnxProto, { type onnx } from 'onnx-proto'
import type { ModelBuilder } from './model.js'

const { AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto } = onnxProto.onnx
export const Kind = AttributeProto.AttributeType

export interface Fun {
  readonly name: string
  readonly domain?: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly nodes: readonly onnx.INodeProto[]
  readonly attributes?: readonly string[]
  readonly opset?: number
  readonly imports?: readonly string[]
  /** Newer than onnx-proto's schema. */
  readonly defaults?: readonly onnx.IAttributeProto[]
  readonly overload?: string
}

export const node = (
  op: string,
  input: readonly string[],
  output: readonly string[],
  attribute: onnx.IAttributeProto[] = []
): onnx.INodeProto => {
  const [opType, domain = ''] = op.split(':').reverse()
  return { opType, domain, input: [...input], output: [...output], attribute }
}

export const number = (name: string, f: number) => ({ name, type: Kind.FLOAT, f })
export const whole = (name: string, i: number) => ({ name, type: Kind.INT, i })
export const reference = (name: string, refAttrName: string, type: number = Kind.FLOAT) => ({ name, refAttrName, type })
export const graph = (nodes: onnx.INodeProto[], output: string): onnx.IGraphProto => ({
  name: 'branch',
  node: nodes,
  output: [{ name: output }]
})

function functionProto(fun: Fun): onnx.IFunctionProto {
  const { name, domain = 'own', inputs, outputs, nodes, attributes = [], opset = 17, imports = ['own'] } = fun
  const opsetImport = [{ domain: '', version: opset }, ...imports.map(other => ({ domain: other, version: 1 }))]
  return {
    name,
    domain,
    input: [...inputs],
    output: [...outputs],
    node: [...nodes],
    attribute: [...attributes],
    opsetImport
  }
}

/** A field that has a length. */
function field(number: number, contents: Uint8Array): Uint8Array {
  const varint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)])
  return Uint8Array.from([...varint(number * 8 + 2), ...varint(contents.length), ...contents])
}

const text = (contents: string) => new TextEncoder().encode(contents)
const joined = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap(part => [...part]))

/** The model with functions, whose newer fields are written by hand, as are those of the nodes with an overload. */
export function withFunctions(
  m: ModelBuilder,
  functions: readonly Fun[],
  overloads: Readonly<Record<string, string>> = {}
): Uint8Array {
  const proto = m.proto()
  const { node: nodes, ...rest } = proto.graph!
  const nodeBytes = nodes!.map(each => {
    const overload = overloads[each.name!]
    const bytes = NodeProto.encode(each).finish()
    return field(1, overload ? joined(bytes, field(8, text(overload))) : bytes)
  })
  const functionBytes = functions.map(fun => {
    const { defaults = [], overload } = fun
    return joined(
      FunctionProto.encode(functionProto(fun)).finish(),
      ...defaults.map(each => field(11, AttributeProto.encode(each).finish())),
      overload ? field(13, text(overload)) : new Uint8Array()
    )
  })
  const head = { irVersion: Object.keys(overloads).length ? 10 : 9, opsetImport: proto.opsetImport }
  return joined(
    ModelProto.encode(head).finish(),
    field(7, joined(GraphProto.encode(rest).finish(), ...nodeBytes)),
    ...functionBytes.map(bytes => field(25, bytes))
  )
}
