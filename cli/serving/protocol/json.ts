import { datatypeOf, readDatatype } from './datatypes.js'
import { invalid, ServingError } from './errors.js'
import type { Pieces } from './pieces.js'
import { fromBytes, fromJson, type Given, type Inference, readShape, short, toJson, type Wire } from './tensors.js'

/**
 * The REST side of the Open Inference Protocol: a JSON object, and with the binary tensor extension behind it the bytes of
 * the tensors that say `binary_data_size`, in their order.
 */
export interface JsonInference extends Inference {
  /** Whether an output is wanted as bytes. */
  isBinary(output: string): boolean
}

type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

function objects(value: unknown, name: string): readonly Json[] {
  if (!Array.isArray(value) || !value.every(isObject)) throw invalid(`"${name}" is a list of objects`)
  return value
}

function parametersOf(object: Json, of: string): Json {
  const { parameters = {} } = object
  if (!isObject(parameters)) throw invalid(`"parameters" of ${of} is an object`)
  return parameters
}

/** Bytes of JSON that may hold many values: `{},` of three bytes takes tens of them in memory. */
const mostJson = 2 ** 23

/** Values that longer JSON may hold, such as a model in base64. */
const fewValues = 1000

const decoder = new TextDecoder('utf-8', { fatal: true })

export function parseJson(text: Uint8Array, what: string): Json {
  if (text.length > mostJson && hasManyValues(text))
    throw new ServingError(
      'large',
      `${what} has ${text.length} bytes of JSON; up to ${mostJson}, and more as bytes, are allowed`
    )
  let value: unknown
  try {
    value = JSON.parse(decoder.decode(text))
  } catch (error) {
    throw invalid(`${what} is no JSON: ${(error as Error).message.split('\n')[0].slice(0, 100)}`)
  }
  if (!isObject(value)) throw invalid(`${what} is no JSON object`)
  return value
}

function hasManyValues(text: Uint8Array): boolean {
  let left = fewValues
  for (const mark of [',', '[', '{'])
    for (let at = text.indexOf(mark.charCodeAt(0)); at >= 0; at = text.indexOf(mark.charCodeAt(0), at + 1))
      if (--left < 0) return true
  return false
}

/** A body whose first `headed` bytes are JSON; all of it where that is not said. */
export function readInference(body: Pieces, headed: number | undefined): JsonInference {
  if (headed !== undefined && headed > body.length)
    throw invalid(`Inference-Header-Content-Length ${headed} is more than the body's ${body.length} bytes`)
  const json = parseJson(body.part(0, headed ?? body.length).whole(), 'the request')
  const parameters = parametersOf(json, 'the request')
  let at = headed ?? body.length
  const inputs: Record<string, Given> = Object.create(null)
  for (const input of objects(json.inputs, 'inputs')) {
    const name = nameIn(input, 'input')
    const of = `input "${name}"`
    if (inputs[name]) throw invalid(`${of} is given twice`)
    const dims = readShape(input.shape, of)
    const datatype = readDatatype(input.datatype, of)
    const size = parametersOf(input, of).binary_data_size
    if (size === undefined) inputs[name] = fromJson(input.data, datatype, dims, of)
    else {
      if (input.data !== undefined) throw invalid(`${of} has both data and binary_data_size; one is allowed`)
      if (headed === undefined) throw invalid(`${of} is binary; the header Inference-Header-Content-Length is missing`)
      if (!Number.isSafeInteger(size) || (size as number) < 0 || at + (size as number) > body.length)
        throw invalid(`${of} has binary_data_size ${short(size)}; the body has ${body.length - at} bytes left`)
      inputs[name] = fromBytes(body.part(at, (at += size as number)), datatype, dims, of)
    }
  }
  if (at !== body.length) throw invalid(`${body.length - at} bytes behind the last binary input belong to nothing`)
  return { id: idOf(json), inputs, ...outputsOf(json, parameters), timeout: timeoutOf(parameters.timeout) }
}

function nameIn(object: Json, what: string): string {
  if (typeof object.name !== 'string' || !object.name) throw invalid(`an ${what} has no name`)
  return object.name
}

function idOf({ id }: Json): string | undefined {
  if (id !== undefined && (typeof id !== 'string' || id.length > 1024))
    throw invalid('"id" is a text of up to 1024 characters')
  return id
}

function outputsOf(json: Json, parameters: Json): Pick<JsonInference, 'outputs' | 'isBinary'> {
  const all = flag(parameters.binary_data_output, 'binary_data_output') ?? false
  if (json.outputs === undefined) return { outputs: undefined, isBinary: () => all }
  const binary = new Map<string, boolean>()
  for (const output of objects(json.outputs, 'outputs')) {
    const name = nameIn(output, 'output')
    const own = parametersOf(output, `output "${name}"`)
    if (own.classification !== undefined)
      throw invalid(`output "${name}": the classification extension is not served; POST /classify/NAME is`)
    binary.set(name, flag(own.binary_data, 'binary_data') ?? all)
  }
  return { outputs: binary.size ? [...binary.keys()] : undefined, isBinary: name => binary.get(name) ?? all }
}

function flag(value: unknown, name: string): boolean | undefined {
  if (value !== undefined && typeof value !== 'boolean') throw invalid(`"${name}" is true or false`)
  return value
}

/** Microseconds, as Triton has them; here in milliseconds. */
export function timeoutOf(value: unknown): number | undefined {
  if (value === undefined) return undefined
  const number = Number(value)
  if (!Number.isSafeInteger(number) || number <= 0)
    throw invalid(`parameter timeout ${short(value)}; a whole number of microseconds above 0 is allowed`)
  return number / 1000
}

export interface Answer {
  readonly model: string
  readonly version: string
  readonly outputs: Readonly<Record<string, Wire>>
}

/** The answer's body; `headed` is the length of its JSON where bytes follow. */
export function writeAnswer(
  { model, version, outputs }: Answer,
  { id, isBinary }: JsonInference
): { body: Buffer; headed: number | undefined } {
  const tail: Uint8Array[] = []
  const described = Object.entries(outputs).map(([name, tensor]) => {
    const datatype = datatypeOf(tensor.type)
    const head = { name, shape: tensor.dims, datatype }
    if (!isBinary(name)) return { ...head, data: toJson(tensor, datatype, `output "${name}"`) }
    tail.push(tensor.bytes)
    return { ...head, parameters: { binary_data_size: tensor.bytes.length } }
  })
  const json = Buffer.from(JSON.stringify({ model_name: model, model_version: version, id, outputs: described }))
  return tail.length ? { body: Buffer.concat([json, ...tail]), headed: json.length } : { body: json, headed: undefined }
}
