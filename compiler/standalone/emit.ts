import binaryen from 'binaryen'
import type { Bindings, Program } from '../../runtime/file/index.js'
import { CompileError } from '../errors.js'
import type { Loading } from './load.js'
import type { StandalonePort } from './metadata.js'
import type { Places } from './place.js'
import { passes } from './wasm/passes.js'
import { specialise } from './wasm/specialise.js'
import { type Node, parse, show } from './wasm/text.js'

type Expression = binaryen.ExpressionRef

/** A model's program as functions around the kernels, made with Binaryen. */
export interface Body {
  readonly program: Program
  readonly bindings: Bindings
  readonly places: Places
  readonly loading: Loading
  readonly inputs: readonly StandalonePort[]
  readonly outputs: readonly StandalonePort[]
}

/** The function that goes through steps. */
const stepsName = 'steps'

/** What `init` and `run` of a module are made of, and what is added to them. */
export class Emitter {
  private readonly module: binaryen.Module
  /** The type of numbers that functions return. */
  readonly number = binaryen.i32
  private readonly functions = new Map<string, string>()
  private readonly kept = new Set(['memory'])

  /** `first` is the number of the first segment that lies aside. */
  constructor(
    kernels: Uint8Array,
    private readonly first: number
  ) {
    this.module = binaryen.readBinaryWithFeatures(kernels, features)
    for (const name of this.exported()) {
      const { value } = binaryen.getExportInfo(this.module.getExport(name))
      this.functions.set(name, value)
    }
  }

  private exported(): string[] {
    return Array.from(
      { length: this.module.getNumExports() },
      (_, i) => binaryen.getExportInfo(this.module.getExportByIndex(i)).name
    )
  }

  i32(value: number): Expression {
    return this.module.i32.const(value | 0)
  }

  f64(value: number): Expression {
    return this.module.f64.const(value)
  }

  /** A call of a kernel or a helper, by the name of its export. */
  call(name: string, operands: readonly (number | Expression)[], type: binaryen.Type = binaryen.none): Expression {
    const target = this.functions.get(name)
    if (!target) throw new CompileError(`the kernels have no "${name}"`)
    return this.module.call(target, operands as number[], type)
  }

  /** The same with addresses and counts. */
  callAt(name: string, ...values: number[]): Expression {
    return this.call(
      name,
      values.map(value => this.i32(value))
    )
  }

  /** A call of what has been added by `add`. */
  own(name: string, type: binaryen.Type = binaryen.none): Expression {
    return this.module.call(name, [], type)
  }

  if(condition: Expression, then: Expression): Expression {
    return this.module.if(condition, then)
  }

  load(at: number): Expression {
    return this.loadFrom(this.i32(at))
  }

  loadFrom(pointer: Expression, offset = 0): Expression {
    return this.module.i32.load(offset, 4, pointer)
  }

  store(at: number, value: number): Expression {
    return this.module.i32.store(0, 4, this.i32(at), this.i32(value))
  }

  parameter(index: number): Expression {
    return this.module.local.get(index, binaryen.i32)
  }

  return(value: number): Expression {
    return this.module.return(this.i32(value))
  }

  not(condition: Expression): Expression {
    return this.module.i32.eqz(condition)
  }

  drop(value: Expression): Expression {
    return this.module.drop(value)
  }

  zeros(at: number, bytes: number): Expression {
    return this.module.memory.fill(this.i32(at), this.i32(0), this.i32(bytes))
  }

  /** Returns `value` from the function where the condition is 0, or is not. */
  unlessTrue(condition: Expression, value: number): Expression {
    return this.ifTrue(this.not(condition), value)
  }

  ifTrue(condition: Expression, value: number): Expression {
    return this.module.if(condition, this.return(value))
  }

  block(body: readonly Expression[], type: binaryen.Type = binaryen.none): Expression {
    return this.module.block(null, body, type)
  }

  /** A function of so many numbers, exported by its name. */
  add(name: string, body: readonly Expression[], type: binaryen.Type = binaryen.none, parameters = 0): void {
    const taken = binaryen.createType(Array(parameters).fill(binaryen.i32))
    this.module.addFunction(name, taken, type, [], this.block(body, type))
    this.module.addFunctionExport(name, name)
    this.kept.add(name)
  }

  /** A number that hosts can read without running anything. */
  constant(name: string, value: number): void {
    this.module.addGlobal(name, binaryen.i32, false, this.i32(value))
    this.module.addGlobalExport(name, name)
    this.kept.add(name)
  }

  /** `init`, which makes the tables once and takes the steps before the first run. Returns what calls it, if there are any. */
  addInit({ loading }: Body): () => Expression[] {
    const { module } = this
    const { steps, tables, aside, squeezed } = loading
    if (!aside.length) return () => []
    this.addSteps(loading)
    const segment = String(this.first)
    module.addGlobal('ready', binaryen.i32, true, this.i32(0))
    this.add('init', [
      module.if(module.global.get('ready', binaryen.i32), module.return()),
      module.global.set('ready', this.i32(1)),
      module.memory.init(segment, this.i32(squeezed.to), this.i32(squeezed.offset), this.i32(squeezed.bytes)),
      this.callAt('expand', squeezed.to, squeezed.expanded),
      ...tables.map(({ from, to, count, back }) => this.callAt('unfold', from, to, count, back)),
      ...this.steps(loading, 0, steps.first),
      module.data.drop(segment)
    ])
    return () => [this.own('init')]
  }

  /** The function that goes through rows of steps, from one address to another. */
  private addSteps({ steps: { operations, stride, all } }: Loading): void {
    const { module } = this
    const operand = (i: number) => this.loadFrom(this.parameter(0), 4 * (i + 1))
    const step = (name: string) => {
      const operands = all.find(step => step.do === name)!.operands.map((_, i) => operand(i))
      if (name !== 'bring') return this.call(name, operands)
      const [to, from, bytes] = operands
      return module.memory.init(String(this.first), to, from, bytes)
    }
    const labels = operations.map((_, i) => `operation${i}`)
    let body = module.switch(labels, labels.at(-1)!, this.loadFrom(this.parameter(0)))
    operations.forEach((name, i) => {
      body = module.block(null, [module.block(labels[i], [body]), step(name), module.br('next')])
    })
    const further = module.i32.add(this.parameter(0), this.i32(stride * 4))
    const each = [
      module.if(module.i32.ge_u(this.parameter(0), this.parameter(1)), module.return()),
      module.block('next', [body]),
      module.local.set(0, further),
      module.br('step')
    ]
    const taken = binaryen.createType([binaryen.i32, binaryen.i32])
    module.addFunction(stepsName, taken, binaryen.none, [], module.loop('step', this.block(each)))
  }

  /** Takes so many steps. */
  steps({ steps: { at, stride } }: Loading, first: number, count: number): Expression[] {
    if (!count) return []
    const bounds = [first, first + count].map(step => this.i32(at + step * stride * 4))
    return [this.module.call(stepsName, bounds, binaryen.none)]
  }

  /** Calls of the program as a run makes them. */
  programCalls({ loading }: Body, first = 0, count = loading.steps.all.length - loading.steps.first): Expression[] {
    return this.steps(loading, loading.steps.first + first, count)
  }

  /** Two constants a port: where it is, and its elements. */
  port(name: string, { at, length }: StandalonePort): void {
    this.constant(name, at)
    this.constant(`${name}_length`, length)
  }

  /** The module with what is exported and what that calls, made for its blocks, and nothing else. */
  finish({ places, loading }: Body): { bytes: Uint8Array; text: Node[] } {
    for (const name of this.exported()) if (!this.kept.has(name)) this.module.removeExport(name)
    this.module.runPasses(['remove-unused-module-elements', 'ssa-nomerge'])
    const [text] = parse(this.module.emitText())
    this.module.dispose()
    const calls = loading.steps.all
      .filter(step => step.do !== 'bring')
      .map(step => [this.functions.get(step.do)!, step.operands] as const)
    specialise(text as Node[], { ...places.table, calls, from: stepsName })
    const module = binaryen.parseText(show(text))
    module.setFeatures(features)
    likeAssemblyScript()
    module.runPasses(passes)
    if (!module.validate()) throw new CompileError('the module that was made is not valid; please report this')
    const bytes = module.emitBinary()
    const [final] = parse(module.emitText()) as Node[][]
    module.dispose()
    return { bytes, text: final }
  }
}

const { Features } = binaryen
const features =
  Features.SIMD128 |
  Features.RelaxedSIMD |
  Features.MutableGlobals |
  Features.SignExt |
  Features.NontrappingFPToInt |
  Features.BulkMemory |
  Features.BulkMemoryOpt

/**
 * Binaryen's settings, which are of the process, not of a module; as AssemblyScript has them, but for functions of 40 to 70
 * expressions, which stay functions: larger files by a tenth are all that it gains to inline them.
 */
function likeAssemblyScript(): void {
  binaryen.setOptimizeLevel(4)
  binaryen.setShrinkLevel(0)
  binaryen.setFastMath(true)
  binaryen.setGenerateStackIR(true)
  binaryen.setOptimizeStackIR(true)
  binaryen.setAlwaysInlineMaxSize(12)
  binaryen.setFlexibleInlineMaxSize(40)
  binaryen.setOneCallerInlineMaxSize(200)
  binaryen.setAllowInliningFunctionsWithLoops(true)
  binaryen.setPassArgument('partial-inlining-ifs', '4')
}
