import { readFileSync } from 'node:fs'
import { compare, openReference, type Reference, valuesOf } from '../../cli/device/index.js'
import { build } from '../../compiler/index.js'
import { type Bindings, encode, evaluate, planProgram, show } from '../../runtime/file/index.js'
import { InferenceSession, type Tensor } from '../../runtime/index.js'

/** One compiled model of the demo, with everything that the demo tells about it. */
export class DemoModel {
  private constructor(
    readonly title: string,
    readonly path: string,
    readonly onnxBytes: number,
    readonly built: ReturnType<typeof build>,
    readonly file: Uint8Array,
    readonly compileMs: number,
    private readonly session: InferenceSession,
    readonly loadMs: number
  ) {}

  static async open(title: string, path: string): Promise<DemoModel> {
    const onnx = new Uint8Array(readFileSync(path))
    let began = performance.now()
    const built = build(onnx)
    const file = encode(built.program, built.summary)
    const compileMs = performance.now() - began
    began = performance.now()
    const session = await InferenceSession.create(file)
    return new DemoModel(title, path, onnx.length, built, file, compileMs, session, performance.now() - began)
  }

  /** The only output for the only input. */
  async run(input: Tensor): Promise<Tensor> {
    const results = await this.session.run({ [this.session.inputNames[0]]: input })
    return results[this.session.outputNames[0]]
  }

  /** Arena and its lower bound in bytes for inputs like `input`. */
  arenaFor(input: Tensor): { bytes: number; lowerBound: number } {
    return planProgram(this.built.program, this.bindingsFor(input))
  }

  macsFor(input: Tensor): number {
    return evaluate(this.built.program.macs, this.bindingsFor(input))
  }

  private bindingsFor(input: Tensor): Bindings {
    const bindings: Record<string, number> = {}
    this.built.program.inputs[0].shape.forEach((dim, axis) => {
      if (typeof dim !== 'number') bindings[show(dim)] = input.dims[axis]
    })
    return bindings
  }

  /** Median milliseconds of as many runs as fit into about two seconds, at least three. */
  async time(input: Tensor): Promise<number> {
    const times: number[] = []
    const end = performance.now() + 2000
    while (times.length < 3 || (times.length < 30 && performance.now() < end)) {
      const began = performance.now()
      await this.run(input)
      times.push(performance.now() - began)
    }
    return times.sort((a, b) => a - b)[times.length >> 1]
  }

  /** Largest error against onnxruntime-node, absolute and over the reference's maximum; nothing where that is missing. */
  async check(input: Tensor): Promise<{ absolute: number; relative: number } | undefined> {
    let reference: Reference
    try {
      reference = await openReference(this.path)
    } catch (error) {
      console.log(`  not checked: ${(error as Error).message}`)
      return undefined
    }
    const theirs = Object.values(await reference.run({ [this.session.inputNames[0]]: input }))[0]
    await reference.release()
    return compare(this.title, valuesOf(await this.run(input)), theirs)
  }

  /** Loads the model on WebGPU: milliseconds of loading and of a run, and the largest error against the CPU path. */
  async onWebGpu(input: Tensor): Promise<{ load: number; run: number; relative: number }> {
    let began = performance.now()
    const session = await InferenceSession.create(this.file, { executionProviders: ['webgpu'] })
    const load = performance.now() - began
    const feeds = { [session.inputNames[0]]: input }
    const results = await session.run(feeds)
    began = performance.now()
    await session.run(feeds)
    const run = performance.now() - began
    await session.release()
    const { relative } = compare(this.title, valuesOf(results[session.outputNames[0]]), valuesOf(await this.run(input)))
    return { load, run, relative }
  }
}
