// Two executors that watch what kernels do with memory. `Guarded` runs the WebAssembly kernels with every storage
// between canaries; `ArenaInterpreter` runs the references inside the planned arena, dead storages poisoned.
import { kernels } from '../../compiler/ops/kernels.js'
import { floatToHalf } from '../../runtime/base/half.js'
import { compileKernels } from '../../runtime/cpu/binary.js'
import { type Bindings, evaluate } from '../../runtime/file/dims.js'
import { blocksOf, planProgram } from '../../runtime/file/plan.js'
import {
  type Argument,
  type Call,
  type Program,
  paddedLength,
  residentBytes,
  resultsOf
} from '../../runtime/file/program.js'
import { unpackInto } from '../../runtime/file/unpack.js'

/** A NaN that no kernel makes. */
const canary = 0x7fc5dead
const gap = 64
const page = 65536

type Kernel = (...args: number[]) => void

interface Extent {
  readonly at: number
  readonly bytes: number
}

export class Guarded {
  private readonly words: Uint32Array
  private readonly bytes: Uint8Array
  private readonly gaps: Extent[] = []
  private readonly extents: Record<Argument['space'], Extent[]>
  private readonly blocks = new Map<Call, number>()

  private constructor(
    private readonly program: Program,
    private readonly bindings: Bindings,
    private readonly exports: Record<string, Kernel>,
    memory: WebAssembly.Memory,
    private readonly threads: number
  ) {
    let at = page
    const take = (bytes: number): Extent => {
      this.gaps.push({ at, bytes: gap })
      const extent = { at: at + gap, bytes }
      at += gap + Math.ceil(bytes / 16) * 16
      if (bytes % 16) this.gaps.push({ at: extent.at + bytes, bytes: 16 - (bytes % 16) })
      return extent
    }
    const calls = [...program.setup, ...program.calls]
    for (const call of calls) this.blocks.set(call, take(call.parameters.length * 4).at)
    this.extents = {
      constant: program.constants.map(constant => take(residentBytes(constant))),
      derived: program.derived.map(length => take(length * 4)),
      storage: program.storages.map((size, i) => take(evaluate(size, bindings) * (program.narrow.includes(i) ? 1 : 4)))
    }
    this.gaps.push({ at, bytes: gap })
    memory.grow(Math.ceil((at + gap) / page) - memory.buffer.byteLength / page + 1)
    this.words = new Uint32Array(memory.buffer)
    this.bytes = new Uint8Array(memory.buffer)
    this.words.fill(canary, page / 4)
    program.constants.forEach((constant, i) => {
      const { at, bytes } = this.extents.constant[i]
      if (constant.kept === 'f16')
        unpackInto(
          new Uint16Array(memory.buffer, at, bytes / 2),
          constant,
          Uint16Array.from(constant.data, floatToHalf)
        )
      else if (constant.kept === 'i8') new Int8Array(memory.buffer, at, bytes).set(constant.data)
      else unpackInto(this.floats(this.extents.constant[i]), constant, constant.data)
    })
    for (const call of calls) this.writeParameters(call, new DataView(memory.buffer))
    for (const call of program.setup) this.invoke(call)
  }

  /** With several threads each call is made once for every one of them, each taking even the smallest slice. */
  static async of(program: Program, bindings: Bindings, threads = 1): Promise<Guarded> {
    const module = await compileKernels({ threads: false, more: true })
    const memory = new WebAssembly.Memory({ initial: 1 })
    const { exports } = await WebAssembly.instantiate(module, { env: { memory } })
    return new Guarded(program, bindings, exports as Record<string, Kernel>, memory, threads)
  }

  /** Throws when a kernel writes outside the buffers that it may write. */
  run(inputs: readonly ArrayLike<number>[]): Float32Array[] {
    const { program, bindings } = this
    program.inputs.forEach((port, i) => {
      this.elements(port.storage).set(inputs[i], evaluate(port.offset, bindings))
    })
    for (const call of program.calls)
      for (let thread = 0; thread < this.threads; thread++) {
        this.exports.enter(thread, this.threads, 0)
        this.invoke(call)
      }
    return resultsOf(program).map(port => {
      const start = evaluate(port.offset, bindings)
      const length = port.shape.reduce<number>((count, dim) => count * evaluate(dim, bindings), 1)
      return Float32Array.from(this.elements(port.storage).subarray(start, start + length))
    })
  }

  private elements(storage: number): Float32Array | Uint8Array {
    const { at, bytes } = this.extents.storage[storage]
    if (!this.program.narrow.includes(storage)) return this.floats({ at, bytes })
    return this.bytes.subarray(at, at + bytes)
  }

  private invoke(call: Call): void {
    const { name } = this.program.kernels[call.kernel]
    const readOnly = this.readOnly(call.arguments)
    const before = readOnly.map(extent => this.wordsOf(extent).slice())
    this.exports[name](this.blocks.get(call)!, ...call.arguments.map(argument => this.address(argument)))
    const where = `kernel ${name} of "${call.node}"`
    for (const extent of this.gaps) if (!this.isIntact(extent)) throw new Error(`${where} writes outside its buffers`)
    readOnly.forEach((extent, i) => {
      const now = this.wordsOf(extent)
      if (before[i].some((word, j) => word !== now[j])) throw new Error(`${where} writes to a buffer that it reads`)
    })
  }

  private writeParameters(call: Call, view: DataView): void {
    const { fields } = this.program.kernels[call.kernel]
    const block = this.blocks.get(call)!
    call.parameters.forEach((parameter, i) => {
      const value = evaluate(parameter, this.bindings)
      if (fields[i] === 'f') view.setFloat32(block + i * 4, value, true)
      else view.setInt32(block + i * 4, value, true)
    })
  }

  private extentOf({ space, index }: Argument): Extent {
    return this.extents[space][index]
  }

  private address(argument: Argument): number {
    const isNarrow = argument.space === 'storage' && this.program.narrow.includes(argument.index)
    return this.extentOf(argument).at + evaluate(argument.offset, this.bindings) * (isNarrow ? 1 : 4)
  }

  private readOnly(list: readonly Argument[]): Extent[] {
    const written = new Set(
      list.filter(argument => argument.access !== 'read').map(argument => this.extentOf(argument))
    )
    return [...new Set(list.map(argument => this.extentOf(argument)))].filter(extent => !written.has(extent))
  }

  private wordsOf({ at, bytes }: Extent): Uint32Array {
    return this.words.subarray(at / 4, (at + bytes) / 4)
  }

  private floats({ at, bytes }: Extent): Float32Array {
    return new Float32Array(this.words.buffer, at, bytes / 4)
  }

  private isIntact({ at, bytes }: Extent): boolean {
    for (let i = at; i < at + bytes; i++) if (this.bytes[i] !== ((canary >>> (8 * (i & 3))) & 255)) return false
    return true
  }
}

/** The reference kernels in one arena, as the plan lays it out. */
export function runInArena(program: Program, inputs: readonly ArrayLike<number>[], bindings: Bindings): Float64Array[] {
  const plan = planProgram(program, bindings)
  const blocks = blocksOf(program, bindings)
  const arena = new Float64Array(plan.bytes / 4).fill(Number.NaN)
  const storage = (index: number) => {
    const start = plan.offsets[index] / 4
    return arena.subarray(start, start + evaluate(program.storages[index], bindings))
  }
  const constants = program.constants.map(constant => {
    const memory = new Float64Array(paddedLength(constant))
    unpackInto(memory, constant, constant.data)
    return memory
  })
  const derived = program.derived.map(length => new Float64Array(length).fill(Number.NaN))
  const interpret = (call: Call) => {
    const kernel = kernels[program.kernels[call.kernel].name]
    const names = Object.keys(kernel.fields)
    const parameters = Object.fromEntries(names.map((name, i) => [name, evaluate(call.parameters[i], bindings)]))
    const buffers = Object.fromEntries(
      Object.keys(kernel.buffers).map((name, i) => {
        const { space, index, offset } = call.arguments[i]
        const memory = space === 'storage' ? storage(index) : (space === 'constant' ? constants : derived)[index]
        return [name, memory.subarray(evaluate(offset, bindings))]
      })
    )
    kernel.reference(parameters, buffers)
  }
  for (const call of program.setup) interpret(call)
  program.inputs.forEach((port, i) => {
    storage(port.storage).set(inputs[i], evaluate(port.offset, bindings))
  })
  program.calls.forEach((call, at) => {
    blocks.forEach(({ first }, index) => first === at && storage(index).fill(Number.NaN))
    interpret(call)
    blocks.forEach(({ last }, index) => last === at && storage(index).fill(Number.NaN))
  })
  return program.outputs.map(port => {
    const start = evaluate(port.offset, bindings)
    const length = port.shape.reduce<number>((count, dim) => count * evaluate(dim, bindings), 1)
    return storage(port.storage).slice(start, start + length)
  })
}
