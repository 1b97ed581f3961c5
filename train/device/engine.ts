import { backendNamed, type Executor } from '../../runtime/backend/index.js'
import { brandOf, CairnError } from '../../runtime/base/index.js'
import { checkBound, checkFixed } from '../../runtime/check/index.js'
import { type Bindings, type CairnFile, evaluate, type Header } from '../../runtime/file/index.js'

/** A program on a backend, with inputs, outputs and states by name. */
export class Engine {
  private checked = 0
  /** The run that is under way: one at a time. */
  private last: Promise<unknown> = Promise.resolve()

  private constructor(
    private readonly program: Header,
    private readonly executor: Executor
  ) {}

  static async open(file: CairnFile, device: string, threads: number): Promise<Engine> {
    const backend = backendNamed(device)
    if (!backend) throw new CairnError(`no device "${device}"; wasm, webgpu and reference have gradients`)
    checkFixed(file.header)
    const open = async () => file
    const executor = await backend.load(open(), { numThreads: threads, reopen: open, provider: {} })
    return new Engine(file.header, executor)
  }

  /** Runs once on a batch of `count`; outputs in the program's order. Throws CairnError for feeds of another size. */
  async run(count: number, feeds: Readonly<Record<string, Float32Array>>): Promise<Float32Array[]> {
    const bindings: Bindings = Object.fromEntries(this.program.free.map(name => [name, count]))
    const inputs = this.program.inputs.map(({ name, shape }) => {
      const wanted = shape.reduce<number>((size, dim) => size * evaluate(dim, bindings), 1)
      const given = feeds[name]
      const isFloats = brandOf(given) === 'Float32Array'
      if (isFloats && given.length === wanted) return given
      const found = isFloats ? `${given.length / count} elements` : 'no Float32Array'
      throw new CairnError(`an example of "${name}" holds ${found}; ${wanted / count} are needed`)
    })
    if (count !== this.checked) checkBound(this.program, bindings)
    this.checked = count
    const ran = this.last.then(() => this.executor.run(inputs, bindings)) as Promise<Float32Array[]>
    this.last = ran.catch(() => undefined)
    return ran
  }

  /** Runs one example through a program with one input. */
  runSingle(input: Float32Array): Promise<Float32Array[]> {
    return this.run(1, { [this.program.inputs[0].name]: input })
  }

  /** What the states hold, all or those that are named. */
  async read(
    names: readonly string[] = this.program.states.map(({ name }) => name)
  ): Promise<Map<string, Float32Array>> {
    const states = this.executor.states!
    return new Map(await Promise.all(names.map(async name => [name, await states.read(this.indexOf(name))] as const)))
  }

  write(values: ReadonlyMap<string, ArrayLike<number>>): void {
    for (const [name, data] of values) {
      const index = this.indexOf(name)
      if (index >= 0) this.executor.states!.write(index, data)
    }
  }

  async release(): Promise<void> {
    await this.executor.release()
  }

  private indexOf(name: string): number {
    return this.program.states.findIndex(state => state.name === name)
  }
}
