import { CompileError, compile } from '../../compiler/index.js'
import { besides, type Declared, type DeclaredSize, declaredPorts, type Settings } from '../../compiler/onnx/index.js'
import { decodeHeader, freeName, type Port, sourceOf } from '../../runtime/file/index.js'

/** What is to be made of ONNX bytes; plain data, because a worker may do it. */
export interface Job {
  readonly bytes: Uint8Array
  /** Sizes of inputs instead of the model's own, as `compile` takes them. */
  readonly shapes?: Readonly<Record<string, readonly (number | string)[]>>
  /** Values of inputs that decide sizes, as `compile` takes them. */
  readonly settings?: Settings
  /** Sizes of free dimensions by their name or denotation. */
  readonly sizes?: Readonly<Record<string, number>>
  /** Files of weights beside the model, by the name that it has for them. */
  readonly externals?: Readonly<Record<string, Uint8Array>>
  /** Where the model is from: an absolute URL, or a path. */
  readonly place?: string
  /** Whether what the compiler cannot leave open may be left to the first run: sizes, and inputs that decide any. */
  readonly mayWait?: boolean
}

/** What has been made of it. */
export interface Made {
  readonly ports: Declared
  /** The .cairn file, or why there can be none before the sizes of inputs are known. */
  readonly file?: Uint8Array
  readonly waits?: string
  /** Whether files were read that the job does not hold, so that its bytes alone do not tell what is made of them. */
  readonly beside: boolean
}

/** Compiles. Throws CompileError for what no sizes of inputs would help. */
export async function perform({ bytes, shapes, settings, sizes, externals = {}, place, mayWait }: Job): Promise<Made> {
  const ports = withSizes(declaredPorts(bytes), sizes ?? {})
  let beside = false
  let complete = true
  const externalData = async (location: string) => {
    const given = externals[location] ?? externals[location.replace(/^(\.\/)+/, '')]
    if (given) return given
    complete = false
    if (!place) throw new CompileError(`external data "${location}" is missing; the option externalData takes it`)
    beside = true
    const source = await sourceOf(besides(place, location), {})
    const bytes = await source.all().finally(() => source.close())
    complete = true
    return bytes
  }
  try {
    const wanted = { ...(sizes ? overridden(ports) : {}), ...shapes }
    const file = await compile(bytes, { shapes: settings ? without(wanted, settings) : wanted, settings, externalData })
    return { ports: completed(ports, decodeHeader(file).outputs), file, beside }
  } catch (error) {
    const { message } = error as Error
    // No size makes an operator known, or brings a file.
    if (!mayWait || !complete || !isOpen(ports) || /^unsupported operators/.test(message)) throw error
    return { ports, waits: message, beside }
  }
}

const isOpen = ({ inputs, settings }: Declared) =>
  settings.length > 0 || inputs.some(({ shape }) => !shape || shape.some(({ size }) => size === undefined))

/** Inputs that are constants have no shapes to be given. */
const without = <T>(shapes: Readonly<Record<string, T>>, settings: Settings): Record<string, T> =>
  Object.fromEntries(Object.entries(shapes).filter(([name]) => !Object.hasOwn(settings, name)))

/** The ports with what the caller says of free dimensions. */
function withSizes(ports: Declared, sizes: Readonly<Record<string, number>>): Declared {
  const sized = (list: Declared['inputs']) =>
    list.map(port => ({
      ...port,
      shape: port.shape?.map(dim => {
        const size = dim.size ?? sizes[dim.name ?? ''] ?? sizes[dim.denotation ?? '']
        return size === undefined ? dim : { size }
      })
    }))
  return { ...ports, inputs: sized(ports.inputs), outputs: sized(ports.outputs) }
}

/** Outputs with what inference has found where the model says nothing. */
function completed(ports: Declared, found: readonly Port[]): Declared {
  const outputs = ports.outputs.map(port => {
    const { dtype, shape: inferred = [] } = found.find(({ name }) => name === port.name) ?? {}
    const shape: readonly DeclaredSize[] = port.shape ?? inferred.map(() => ({}))
    return {
      ...port,
      dtype: port.dtype ?? dtype,
      shape: shape.map((dim, axis) => {
        const size = inferred[axis]
        if (dim.size !== undefined || dim.name || size === undefined) return dim
        return typeof size === 'number' ? { size } : { name: freeName(size) }
      })
    }
  })
  return { ...ports, outputs }
}

/** Shapes as `compile` takes them of inputs that have any; dimensions without a name get one each. */
function overridden({ inputs }: Declared): Record<string, (number | string)[]> {
  const known = inputs.filter(({ shape }) => shape)
  return Object.fromEntries(
    known.map(({ name, shape }) => [name, shape!.map((dim, axis) => dim.size ?? (dim.name || `${name}.${axis}`))])
  )
}
