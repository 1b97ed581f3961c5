import { fromHalves } from '../../runtime/base/index.js'
import type onnxProto from '../../schema/onnx.js'
import { CompileError } from '../errors.js'
import type { Tensor } from '../graph/index.js'
import { dtypeNames } from './tensor-proto.js'

/**
 * Inputs that say what to compute rather than with what: shapes, axes, sizes, counts, conditions. Whoever compiles ahead of time
 * has to know them; given as *settings* they are constants of the model.
 */

/** A tensor, of this package or another, as the value of a setting. */
export interface SettingTensor {
  /** Element type; where it is given it has to be the input's. */
  readonly type?: string
  /** Sizes of the axes. */
  readonly dims: readonly number[]
  /** Elements in C order; halves as bits or as numbers. */
  readonly data: ArrayLike<unknown> | ArrayBufferView
}

/** What a setting is given as: one element, a list of elements in C order, or elements with the sizes of their axes. */
export type SettingValue =
  | number
  | bigint
  | boolean
  | readonly (number | bigint | boolean)[]
  | ArrayBufferView
  | SettingTensor

/** Values of settings by the name of the input. */
export type Settings = Readonly<Record<string, SettingValue>>

/** The inputs of ONNX's operators that have to be known, by their places. */
const deciding: Readonly<Record<string, readonly number[]>> = {
  AffineGrid: [1],
  BlackmanWindow: [0],
  CenterCropPad: [1],
  Clip: [1, 2],
  Col2Im: [1, 2],
  ConstantOfShape: [0],
  CumSum: [1],
  DFT: [1, 2],
  Dropout: [1, 2],
  Expand: [1],
  HammingWindow: [0],
  HannWindow: [0],
  If: [0],
  Loop: [0, 1],
  MaxUnpool: [2],
  MelWeightMatrix: [0, 1, 2, 3, 4],
  NonMaxSuppression: [2, 3, 4],
  OneHot: [1],
  Pad: [1, 2, 3],
  Range: [0, 1, 2],
  Reshape: [1],
  Resize: [1, 2, 3],
  STFT: [1, 3],
  SequenceAt: [1],
  SequenceErase: [1],
  SequenceInsert: [2],
  Slice: [1, 2, 3, 4],
  Split: [1],
  SplitToSequence: [1],
  Squeeze: [1],
  Tile: [1],
  TopK: [1],
  Trilu: [1],
  Unsqueeze: [1],
  Upsample: [1]
}

/** What tells of its input no more than its sizes, which are known without its elements. */
const ofSizes = new Set(['Shape', 'Size', 'NonZero', 'Compress'])

/** Pictures and features have more axes. */
const mostAxes = 2

type Info = onnxProto.onnx.IValueInfoProto

/** The model's settings, in the order of its inputs: what shapes, axes and conditions are computed from. */
export function settingsOf({ input = [], initializer, node = [] }: onnxProto.onnx.IGraphProto): Info[] {
  const constants = new Set(initializer?.map(({ name }) => name))
  const known = new Set<string>()
  const producers = new Map<string, onnxProto.onnx.INodeProto>()
  const wanted: string[] = []
  const look = (nodes: readonly onnxProto.onnx.INodeProto[] | null) => {
    for (const each of nodes ?? []) {
      for (const name of each.output ?? []) producers.set(name, each)
      const { opType = '', domain } = each
      const places = domain && domain !== 'ai.onnx' ? [] : (deciding[opType!] ?? (/^Reduce/.test(opType!) ? [1] : []))
      for (const place of places) if (each.input?.[place]) wanted.push(each.input[place])
      for (const { g, graphs } of each.attribute ?? [])
        for (const inner of [g, ...(graphs ?? [])]) look(inner?.node ?? null)
    }
  }
  look(node)
  for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
    if (known.has(name)) continue
    known.add(name)
    const producer = producers.get(name)
    if (producer && !ofSizes.has(producer.opType!)) wanted.push(...(producer.input ?? []).filter(Boolean))
  }
  return (input ?? []).filter(info => known.has(info.name!) && !constants.has(info.name!) && mayDecide(info))
}

function mayDecide({ type }: Info): boolean {
  const dims = type?.tensorType?.shape?.dim
  return dtypeOf(type) !== undefined && (dims?.length ?? 1) <= mostAxes
}

const dtypeOf = (type: Info['type']) => dtypeNames[type?.tensorType?.elemType ?? 0]

/** `"sr" int64, "sizes" int64[4]`. */
export function showSettings(settings: readonly Info[]): string {
  return settings.map(info => `"${info.name}" ${wantedOf(info)}`).join(', ')
}

function wantedOf({ type }: Info): string {
  const dims = type?.tensorType?.shape?.dim
  const sizes = dims?.map(({ dimParam, dimValue }) => dimParam || Number(dimValue ?? 0) || '?')
  return `${dtypeOf(type)}${sizes ? (sizes.length ? `[${sizes.join('×')}]` : '') : ' of any shape'}`
}

/** What a model says to a name that is no setting of its. */
export function whichSettings(graph: onnxProto.onnx.IGraphProto): string {
  const settings = settingsOf(graph)
  return settings.length ? `the model's settings are ${showSettings(settings)}` : 'the model has no settings'
}

/** The constants that settings make of inputs, by name. Throws CompileError for other names, types and shapes. */
export function fixedInputs(graph: onnxProto.onnx.IGraphProto, settings: Settings = {}): Map<string, Tensor> {
  const decide = new Set(settingsOf(graph))
  return new Map(
    Object.entries(settings).map(([name, value]) => {
      const info = graph.input?.find(input => input.name === name)
      // Whole numbers may decide what nobody has foreseen.
      const isSetting = info && (decide.has(info) || !dtypeOf(info.type)?.startsWith('float'))
      if (!isSetting) throw new CompileError(`no setting "${name}"; ${whichSettings(graph)}`)
      const refuse = (what: string) =>
        new CompileError(`setting "${name}": ${what}; ${wantedOf(info)} is taken, and ${whichSettings(graph)}`)
      return [name, constantOf(info, value, refuse)]
    })
  )
}

const ranges: Readonly<Record<string, readonly [number, number]>> = {
  bool: [0, 1],
  ...Object.fromEntries([8, 16, 32].map(bits => [`int${bits}`, [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1]])),
  ...Object.fromEntries([8, 16, 32].map(bits => [`uint${bits}`, [0, 2 ** bits - 1]])),
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  uint64: [0, Number.MAX_SAFE_INTEGER]
}

function constantOf({ type }: Info, value: SettingValue, refuse: (what: string) => CompileError): Tensor {
  const dtype = dtypeOf(type)
  if (!dtype) throw refuse('its element type is not supported')
  const whole = value as { dims?: readonly number[]; data?: ArrayLike<unknown>; type?: string }
  const isTensor = Array.isArray(whole?.dims)
  if (isTensor && whole.type !== undefined && whole.type !== dtype) throw refuse(`is ${whole.type}`)
  const given = isTensor ? whole.data : value
  const isOne = ['number', 'bigint', 'boolean'].includes(typeof given)
  if (!isOne && !Array.isArray(given) && !ArrayBuffer.isView(given)) throw refuse('is no number, list or array')
  const list = isOne ? [given] : dtype === 'float16' && given instanceof Uint16Array ? fromHalves(given) : given
  const numbers = Array.from(list as ArrayLike<unknown>, element => {
    const number = typeof element === 'string' ? Number.NaN : Number(element)
    const [least, most] = ranges[dtype] ?? []
    const fits = least === undefined ? !Number.isNaN(number) : Number.isSafeInteger(number)
    if (!fits || number < least! || number > most!) throw refuse(`${String(element)} is no element`)
    return number
  })
  const shape = isTensor ? [...whole.dims!] : shapeFor(type, numbers.length, isOne)
  const declared = type?.tensorType?.shape?.dim
  const isOther = (size: number, axis: number) => {
    const { dimParam, dimValue } = declared![axis]
    return !dimParam && Number(dimValue ?? 0) > 0 && Number(dimValue) !== size
  }
  if (declared && (declared.length !== shape.length || shape.some(isOther))) throw refuse(`is [${shape.join('×')}]`)
  if (shape.reduce((a, b) => a * b, 1) !== numbers.length)
    throw refuse(`has ${numbers.length} ${numbers.length === 1 ? 'element' : 'elements'}`)
  const isSingle = dtype === 'float32' || dtype === 'float16'
  return { dtype, shape, data: isSingle ? Float32Array.from(numbers) : Float64Array.from(numbers) }
}

/** The declared shape with so many elements; of what has none a scalar for one number, and a list otherwise. */
function shapeFor(type: Info['type'], count: number, isOne: boolean): number[] {
  const declared = type?.tensorType?.shape?.dim
  if (!declared) return isOne ? [] : [count]
  const sizes = declared.map(({ dimParam, dimValue }) => (dimParam ? 0 : Number(dimValue ?? 0)))
  const known = sizes.filter(size => size > 0).reduce((a, b) => a * b, 1)
  let left = count / known
  return sizes.map(size => {
    if (size > 0) return size
    const own = left
    left = 1
    return own
  })
}
