import { type Backend, type Executor, mostMemory, type Place } from '../../runtime/backend/index.js'
import { CairnError, digest, finish } from '../../runtime/base/index.js'
import {
  type Bindings,
  type CairnFile,
  type Call,
  elementsOf,
  evaluate,
  type Observer,
  type Packing,
  type Program,
  paddedLength,
  resultsOf,
  type Section,
  storagesWritten,
  unpackInto
} from '../../runtime/file/index.js'
import { kernels } from '../ops/index.js'

/**
 * Interprets a program with the kernels' double-precision references: every storage is a Float64Array of its own.
 * Slow and obvious, for constant folding and for comparing the fast backends with.
 */
export class Interpreter {
  /** The states first, then what setup calls make. */
  readonly derived: readonly Float64Array[]

  constructor(
    private readonly program: Omit<Program, 'constants'>,
    private readonly constants: readonly Float64Array[],
    private readonly maxMemory = mostMemory
  ) {
    allow([...constants.map(({ length }) => length), ...program.derived], maxMemory)
    this.derived = program.derived.map(length => new Float64Array(length))
    for (const call of program.setup) this.interpret(call, [], {})
  }

  static of(program: Program): Interpreter {
    return new Interpreter(
      program,
      program.constants.map(constant => unpacked(constant, constant.data))
    )
  }

  /** Outputs in the program's order and its counts, for inputs in the program's order; both dense in C order. */
  run(inputs: readonly ArrayLike<number>[], bindings: Bindings = {}): Float64Array[] {
    return finish(this.steps(inputs, bindings))
  }

  /** As `run`, call by call: each with the storages that it has written, in which NaN is what nothing has. */
  *steps(inputs: readonly ArrayLike<number>[], bindings: Bindings): Generator<Step, Float64Array[]> {
    const { program } = this
    const sizes = program.storages.map(size => evaluate(size, bindings))
    allow(sizes, this.maxMemory)
    const narrow = new Set(program.narrow)
    const storages = sizes.map((size, i) => new Float64Array(size).fill(narrow.has(i) ? 0 : Number.NaN))
    program.inputs.forEach((port, i) => storages[port.storage].set(inputs[i], evaluate(port.offset, bindings)))
    for (const [at, call] of program.calls.entries()) {
      this.interpret(call, storages, bindings)
      yield { at, written: storagesWritten(call).map(index => storages[index]) }
    }
    return resultsOf(program).map(port => {
      const start = evaluate(port.offset, bindings)
      const length = port.shape.reduce<number>((count, dim) => count * evaluate(dim, bindings), 1)
      return storages[port.storage].slice(start, start + length)
    })
  }

  private interpret(call: Call, storages: readonly Float64Array[], bindings: Bindings): void {
    const kernel = kernels[this.program.kernels[call.kernel].name]
    const names = Object.keys(kernel.fields)
    const parameters = Object.fromEntries(names.map((name, i) => [name, evaluate(call.parameters[i], bindings)]))
    const memories = { constant: this.constants, derived: this.derived, storage: storages }
    const buffers = Object.fromEntries(
      Object.keys(kernel.buffers).map((name, i) => {
        const { space, index, offset } = call.arguments[i]
        return [name, memories[space][index].subarray(evaluate(offset, bindings))]
      })
    )
    kernel.reference(parameters, buffers)
  }
}

export interface Step {
  readonly at: number
  readonly written: readonly Float64Array[]
}

/** Throws CairnError when so many doubles are more than `maxMemory` bytes. */
function allow(sizes: readonly number[], maxMemory: number): void {
  const bytes = sizes.reduce((a, b) => a + b, 0) * 8
  if (bytes > maxMemory) throw new CairnError(`the model needs ${bytes} bytes; maxMemory allows ${maxMemory}`)
}

function unpacked(packing: Packing, stored: Float32Array): Float64Array {
  const memory = new Float64Array(paddedLength(packing))
  unpackInto(memory, packing, stored)
  return memory
}

async function storedElements({ source }: CairnFile, section: Section): Promise<Float32Array> {
  const stored = new Uint8Array(section.bytes)
  await source.read(section.offset, [stored])
  if (digest(stored) !== section.digest)
    throw new CairnError(`the section at byte ${section.offset} is damaged: its digest does not match`)
  return elementsOf(section.stored, stored)
}

class ReferenceExecutor implements Executor {
  readonly memoryBytes = 0

  private constructor(private readonly interpreter: Interpreter) {}

  readonly states = {
    read: (index: number) => Float32Array.from(this.interpreter.derived[index]),
    write: (index: number, elements: ArrayLike<number>) => this.interpreter.derived[index].set(elements)
  }

  static async load(file: CairnFile, maxMemory?: number): Promise<ReferenceExecutor> {
    allow(file.header.constants.map(paddedLength), maxMemory ?? mostMemory)
    const constants: Float64Array[] = []
    for (const section of file.header.constants) constants.push(unpacked(section, await storedElements(file, section)))
    await file.source.end(file.length)
    return new ReferenceExecutor(new Interpreter(file.header, constants, maxMemory))
  }

  async run(
    feeds: readonly Float32Array[],
    bindings: Bindings,
    _places?: readonly Place[],
    signal?: AbortSignal
  ): Promise<Float32Array[]> {
    const outputs = await finish(this.interpreter.steps(feeds, bindings), signal)
    return outputs.map(data => Float32Array.from(data))
  }

  observe(feeds: readonly Float32Array[], bindings: Bindings, see: Observer): void {
    for (const { at, written } of this.interpreter.steps(feeds, bindings)) see(at, written)
  }

  release(): void {}
}

/** The device `reference`: available where the compiler is, because the operators' meanings live with it. */
export const referenceBackend: Backend = {
  name: 'reference',
  load: async (file, { maxMemory }) => ReferenceExecutor.load(await file, maxMemory)
}
