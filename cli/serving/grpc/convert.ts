import {
  type Datatype,
  datatypeOf,
  elementsOf,
  fromBytes,
  fromJson,
  type Given,
  type Inference,
  invalid,
  Pieces,
  readDatatype,
  readShape,
  ServingError,
  timeoutOf,
  type Wire
} from '../protocol/index.js'

/** Messages of schema/inference.proto as the loader gives them: whole numbers of 64 bits as text. */
export interface Parameter {
  readonly bool_param?: boolean
  readonly int64_param?: string
  readonly string_param?: string
  readonly double_param?: number
  readonly uint64_param?: string
  readonly bytes_param?: Buffer
  readonly parameter_choice?: keyof Omit<Parameter, 'parameter_choice'>
}

export type Parameters = Readonly<Record<string, Parameter>>

type Contents = Partial<Record<Field, readonly (boolean | number | string | bigint)[]>>

interface Tensor {
  readonly name: string
  readonly datatype: string
  readonly shape: readonly (string | number)[]
  readonly contents?: Contents | null
}

export interface InferRequest {
  readonly model_name: string
  readonly model_version: string
  readonly id: string
  readonly parameters: Parameters
  readonly inputs: readonly Tensor[]
  readonly outputs: readonly { readonly name: string; readonly parameters?: Parameters }[]
  readonly raw_input_contents: readonly Buffer[]
}

export interface InferResponse {
  readonly model_name: string
  readonly model_version: string
  readonly id: string
  readonly outputs: readonly Tensor[]
  readonly raw_output_contents: readonly Uint8Array[]
}

/** Where elements of each type lie. FP16 has no field. */
const fields = {
  BOOL: 'bool_contents',
  INT8: 'int_contents',
  INT16: 'int_contents',
  INT32: 'int_contents',
  INT64: 'int64_contents',
  UINT8: 'uint_contents',
  UINT16: 'uint_contents',
  UINT32: 'uint_contents',
  UINT64: 'uint64_contents',
  FP16: undefined,
  FP32: 'fp32_contents',
  FP64: 'fp64_contents'
} as const satisfies Record<Datatype, string | undefined>

type Field = NonNullable<(typeof fields)[Datatype]> | 'bytes_contents'

export const isRaw = ({ raw_input_contents: raw }: InferRequest): boolean => raw.length > 0

export function readRequest(request: InferRequest): Inference {
  const { inputs, raw_input_contents: raw, outputs, parameters, id } = request
  if (raw.length && raw.length !== inputs.length)
    throw invalid(`${raw.length} raw_input_contents for ${inputs.length} inputs; one of each is allowed`)
  const tensors: Record<string, Given> = Object.create(null)
  inputs.forEach(({ name, datatype: text, shape, contents }, i) => {
    const of = `input "${name}"`
    if (tensors[name]) throw invalid(`${of} is given twice`)
    const datatype = readDatatype(text, of)
    const dims = readShape(shape.map(Number), of)
    const given = Object.entries(contents ?? {}).filter(([, list]) => list.length)
    if (raw.length) {
      if (given.length) throw invalid(`${of} has contents beside raw_input_contents; one is allowed`)
      tensors[name] = fromBytes(new Pieces([raw[i]]), datatype, dims, of)
      return
    }
    const field = fields[datatype]
    const other = given.find(([name]) => name !== field)
    if (!field || other) throw invalid(`${of} is ${datatype}: ${field ?? 'raw_input_contents'} holds it`)
    tensors[name] = typedWire(contents?.[field] ?? [], datatype, dims, of)
  })
  for (const { name, parameters } of outputs)
    if (parameters?.classification)
      throw invalid(`output "${name}": the classification extension is not served; POST /classify/NAME is`)
  return {
    id,
    inputs: tensors,
    outputs: outputs.length ? outputs.map(({ name }) => name) : undefined,
    timeout: timeoutOf(chosenOf(parameters.timeout))
  }
}

/** 64 bits travel as text and stay exact. */
function typedWire(list: NonNullable<Contents[Field]>, datatype: Datatype, dims: number[], of: string): Given {
  if (datatype !== 'INT64' && datatype !== 'UINT64') {
    // Contents of these fields are floats, of which NaN and infinities are some.
    if (datatype !== 'FP32' && datatype !== 'FP64') return fromJson(list, datatype, dims, of)
    const floats = datatype === 'FP32' ? Float32Array.from(list as number[]) : Float64Array.from(list as number[])
    return fromBytes(new Pieces([new Uint8Array(floats.buffer)]), datatype, dims, of)
  }
  const wide = (list as string[]).map(BigInt)
  const array = datatype === 'INT64' ? BigInt64Array.from(wide) : BigUint64Array.from(wide)
  return fromBytes(new Pieces([new Uint8Array(array.buffer)]), datatype, dims, of)
}

/** As the request came: raw, or in typed contents. */
export function writeResponse(
  { model, version, outputs }: { model: string; version: string; outputs: Readonly<Record<string, Wire>> },
  request: InferRequest
): InferResponse {
  const raw = isRaw(request) || Object.values(outputs).some(({ type }) => type === 'float16')
  const described = Object.entries(outputs).map(([name, tensor]): Tensor => {
    const datatype = datatypeOf(tensor.type)
    const head = { name, datatype, shape: tensor.dims }
    return raw ? head : { ...head, contents: { [fields[datatype]!]: contentsOf(tensor, datatype) } }
  })
  return {
    model_name: model,
    model_version: version,
    id: request.id,
    outputs: described,
    raw_output_contents: raw ? Object.values(outputs).map(({ bytes }) => bytes) : []
  }
}

function contentsOf({ bytes }: Wire, datatype: Datatype): (boolean | number | string)[] {
  const elements = elementsOf(bytes, datatype)
  if (datatype === 'BOOL') return Array.from(elements as Uint8Array, Boolean)
  if (datatype === 'INT64' || datatype === 'UINT64') return Array.from(elements as BigInt64Array, String)
  return Array.from(elements as Float32Array)
}

export function chosenOf(parameter: Parameter | undefined): unknown {
  if (parameter === undefined) return undefined
  const { parameter_choice: choice } = parameter
  if (choice === undefined) throw new ServingError('invalid', 'a parameter without a value')
  return parameter[choice]
}
