import { blocks } from '../../../shaders/blocks.js'
import { shaders } from '../../../shaders/kernels.js'
import { CairnError } from '../../base/index.js'
import {
  type Argument,
  type Bindings,
  type Call,
  type Dim,
  type Header,
  type Packing,
  paddedLength,
  type Section,
  type Stored,
  widthOf
} from '../../file/index.js'
import { blockOf, type GpuCall, operandOf } from './call.js'
import { withGates } from './gates.js'

/** The program as the GPU runs it: its calls, those made once after loading, and the header that has only these. */
export interface GpuProgram {
  readonly header: Header
  /** What stands behind the file's constants in the header: some columns of one of them, for what is too large for a binding. */
  readonly slices: readonly Slice[]
  readonly setup: readonly GpuCall[]
  readonly calls: readonly GpuCall[]
  /** Weights that are widened as they arrive. */
  readonly scales: Widened['scales']
}

/** Kernel sizes of the convolutions that a plain one can replace. */
export const winogradTaps: Readonly<Record<string, number>> = { winograd2: 3, winograd4: 3, winograd2x5: 5 }

/** Fewer channels or filters are not worth the way through Winograd's points and back. */
const fewestChannels = 32

/**
 * Finds the shader of every call. Winograd convolutions stay what they are where that is worth it, the filters are held no
 * shorter than the file has them, and the transformed ones of all fit `limit` bytes; others become plain ones. Throws CairnError for a
 * kernel that has no shader.
 */
export function programOf(given: Header, element: Stored, limit: number, imitated = false): GpuProgram {
  const { header, scales } = withoutSums(withoutWidening(given))
  const transformed = new Set<number>()
  const fits = (call: Call) => {
    const all = new Set([...transformed, ...derivedOf(call)])
    const bytes = [...all].reduce((sum, index) => sum + roundUp(header.derived[index] * widthOf(element)), 0)
    if (bytes > limit) return false
    for (const index of all) transformed.add(index)
    return true
  }
  const nameOf = ({ kernel }: Call) => header.kernels[kernel].name
  const stays = (call: Call) => {
    if (!(nameOf(call) in shaders)) return false
    const field = (name: string) => call.parameters[blocks.Winograd.indexOf(name)]
    const wide = Math.min(Number(field('channels')), Number(field('filters'))) >= fewestChannels
    // Whoever compiled kept weights in single precision that halves would lose.
    const isHeld = element === 'f32' || header.constants[filtersOf(header, call)!.index].stored === 'f16'
    return wide && field('groups') === 1 && isHeld && fits(call)
  }
  const onGpu = (call: Call, origin: number): GpuCall => {
    const name = nameOf(call)
    const direct = winogradTaps[name] !== undefined && !stays(call)
    const plain = direct ? directly(header, call) : { call, letters: header.kernels[call.kernel].fields }
    const shader = shaders[direct ? 'conv' : name]
    if (!shader)
      throw new CairnError(`WebGPU has no shader for kernel "${name}" of "${call.node}"; the device wasm runs it`)
    const fields = blocks[shader.block]
    if (fields.length !== plain.letters.length + call.arguments.length + (shader.added?.length ?? 0))
      throw new CairnError(
        `kernel "${name}" of "${call.node}" has other parameters; the file was compiled for another version`
      )
    return { ...plain, origin, shader, fields }
  }
  const slices: Slice[] = []
  const all = header.calls.map(onGpu)
  // Products of a program on the CPU load rows for each eight columns, and would do it again each time.
  const whole = imitated ? all : withGates(header, all)
  const calls = whole.flatMap(call => sliced(call, header.constants, slices, limit))
  const read = new Set(calls.flatMap(({ call }) => derivedOf(call)))
  const setup = header.setup.filter(call => derivedOf(call).some(index => read.has(index))).map(onGpu)
  // States lie in the arena, where calls may change them.
  const isMade = (index: number) => index >= header.states.length && read.has(index)
  const derived = header.derived.map((length, index) => (isMade(index) ? length : 0))
  const constants = [...header.constants, ...slices.map(({ section }) => section)]
  return {
    header: { ...header, constants, calls: calls.map(({ call }) => call), derived },
    slices,
    setup,
    calls,
    scales
  }
}

/**
 * Weights of 8 bits are floats on the GPU from the moment they arrive: what the setup call `widen8` would make of a constant is
 * written in the constant's place, and calls read that.
 */
export interface Widened {
  /** As it is without those setup calls. */
  readonly header: Header
  /** By the constant of whole numbers: the one of their scales, and how they are packed. */
  readonly scales: ReadonlyMap<number, Scales>
}

interface Scales {
  readonly of: number
  readonly packing: Packing
}

export function withoutWidening(header: Header): Widened {
  const scales = new Map<number, Scales>()
  const places = new Map<number, number>()
  const setup = header.setup.filter(({ kernel, parameters, arguments: [w, y, scale] }) => {
    if (header.kernels[kernel].name !== 'widen8') return true
    const [groups, rows, columns, panel] = parameters as number[]
    scales.set(w.index, { of: scale.index, packing: { groups, rows, columns, panel } })
    places.set(y.index, w.index)
    return false
  })
  if (!scales.size) return { header, scales }
  const moved = (argument: Argument): Argument => {
    const index = argument.space === 'derived' ? places.get(argument.index) : undefined
    return index === undefined ? argument : { ...argument, space: 'constant', index }
  }
  const reading = (call: Call): Call => ({ ...call, arguments: call.arguments.map(moved) })
  const constants = header.constants.map((section, i) => ({ ...section, ...scales.get(i)?.packing }))
  return { header: { ...header, constants, setup: setup.map(reading), calls: header.calls.map(reading) }, scales }
}

/** Sums of weights of 8 bits, which products make along with their own here: setup calls of them are left out. */
function withoutSums({ header, scales }: Widened): Widened {
  const isSums = ({ kernel }: Call) => header.kernels[kernel].name === 'sums8'
  const left = new Set(header.setup.filter(isSums).flatMap(derivedOf))
  if (!left.size) return { header, scales }
  const derived = header.derived.map((length, index) => (left.has(index) ? 0 : length))
  return { header: { ...header, derived, setup: header.setup.filter(call => !isSums(call)) }, scales }
}

/** Columns of a constant from `first` on, as a constant of its own. */
export interface Slice {
  readonly of: number
  readonly first: number
  readonly section: Section
}

/** A matrix product in as many as its weights need bindings: each makes some of the columns. */
function sliced(gpuCall: GpuCall, constants: readonly Section[], slices: Slice[], limit: number): GpuCall[] {
  const { call, shader, fields, letters } = gpuCall
  const operand = operandOf(gpuCall)
  const { byColumn } = shader
  if (!byColumn || operand?.space !== 'constant') return [gpuCall]
  const { rows, columns, panel, stored } = constants[operand.index]
  const panelBytes = rows * panel * widthOf(stored)
  // What the call reads besides lies in the same bank.
  const others = call.arguments.filter(argument => argument.space === 'constant' && argument !== operand)
  const taken = others.reduce((sum, { index }) => sum + roundUp(paddedLength(constants[index]) * 4), leastBytes)
  const panels = Math.floor((limit - taken) / panelBytes)
  if (panels * panel >= columns || panels < 1) return [gpuCall]
  const width = panels * panel
  const parts: GpuCall[] = []
  for (let first = 0; first < columns; first += width) {
    const own = Math.min(width, columns - first)
    const index = constants.length + slices.length
    slices.push({ of: operand.index, first, section: { ...constants[operand.index], columns: own } })
    const moved = (argument: Argument, i: number): Argument => {
      if (argument === operand) return { ...argument, index }
      const isByColumn = byColumn.includes(fields[letters.length + i].slice(0, -2))
      return isByColumn ? { ...argument, offset: shifted(argument.offset, first) } : argument
    }
    parts.push({
      ...gpuCall,
      call: {
        ...call,
        parameters: call.parameters.map((parameter, i) => (fields[i] === 'columns' ? own : parameter)),
        arguments: call.arguments.map(moved)
      }
    })
  }
  return parts
}

const shifted = (offset: Dim, by: number): Dim =>
  typeof offset === 'number' ? offset + by : { terms: [...offset.terms, { factor: by, atoms: [] }] }

/** A binding of nothing is none: every bank begins with so many bytes. */
export const leastBytes = 16

/** Bytes of a constant or of what is made of constants, up to where the next may begin. */
export const roundUp = (bytes: number) => Math.ceil(bytes / 16) * 16

const derivedOf = (call: Call) => call.arguments.filter(({ space }) => space === 'derived').map(({ index }) => index)

/** What the setup call of a Winograd convolution transforms: the constant of its filters. */
function filtersOf({ setup }: Header, call: Call): Argument | undefined {
  const made = call.arguments.find(({ space }) => space === 'derived')
  return setup.find(({ arguments: [, own] }) => own.index === made?.index)?.arguments[0]
}

/** A Winograd convolution with the filters that its setup call transforms. */
function directly(header: Header, call: Call): { call: Call; letters: string } {
  const { name, fields } = header.kernels[call.kernel]
  const given = Object.fromEntries(
    blocks.Winograd.slice(0, fields.length).map((field, i) => [field, call.parameters[i]])
  )
  const taps = winogradTaps[name]
  const ones = ['inD', 'outD', 'kernelD', 'strideD', 'strideH', 'strideW', 'dilationD', 'dilationH', 'dilationW']
  const own: Readonly<Record<string, Dim>> = {
    ...Object.fromEntries(ones.map(field => [field, 1])),
    ...given,
    kernelH: taps,
    kernelW: taps
  }
  const fieldsOfConv = blocks.Conv.slice(0, blocks.Conv.length - call.arguments.length)
  return {
    call: {
      ...call,
      parameters: fieldsOfConv.map(field => own[field] ?? 0),
      arguments: call.arguments.map(argument => (argument.space === 'derived' && filtersOf(header, call)) || argument)
    },
    letters: fieldsOfConv.map(field => (field === 'alpha' || field === 'beta' ? 'f' : 'u')).join('')
  }
}

/** The schedule with the scratch memory that shaders need instead of the CPU kernels'. */
export function withScratch({ header, calls }: GpuProgram, bindings: Bindings, imitated: boolean): Header {
  const storages = [...header.storages]
  const seen = new Set<number>()
  for (const call of calls)
    for (const { access, index } of call.call.arguments) {
      if (access !== 'scratch') continue
      const wanted =
        call.shader.scratch?.(
          blockOf(call, bindings, () => 0),
          imitated
        ) ?? 0
      // Calls that make some columns each share theirs.
      storages[index] = Math.max(seen.has(index) ? (storages[index] as number) : 0, wanted)
      seen.add(index)
    }
  // Here bytes are floats too, as the arena has no narrower elements.
  return { ...header, storages, narrow: [] }
}
