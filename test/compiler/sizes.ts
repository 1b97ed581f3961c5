// Arithmetic on free sizes, as exporters write it, symbolically and by onnxruntime at many bindings.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Value } from '../../compiler/graph/graph.js'
import { type CompileError, compile } from '../../compiler/index.js'
import { infer } from '../../compiler/infer/infer.js'
import { importOnnx } from '../../compiler/onnx/read.js'
import { evaluate, show } from '../../runtime/file/dims.js'
import { InferenceSession, Tensor } from '../../runtime/index.js'
import { type Contents, type DType, ModelBuilder } from '../support/onnx/model.js'
import { type Named, Oracle } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'

const test = suite(`sizes (seed ${baseSeed})`)
const names = ['N', 'H', 'W']

type Type = 'int64' | 'float32' | 'float64' | 'bool'
const codes = { float32: 1, int64: 7, bool: 9, float64: 11 }

/** Grows one expression after the other on the sizes of three inputs. */
class Expressions {
  readonly model: ModelBuilder
  private readonly sizes: string[]

  constructor(private readonly random: Random) {
    this.model = new ModelBuilder(random, 17)
    this.sizes = names.map(name => this.model.add('Shape', [this.model.input([name], 'float32', [1, 2], name)]))
  }

  private constant(dtype: DType, ...data: number[]): string {
    const contents: Contents = { dtype, dims: [data.length], data }
    return this.model.constant(contents)
  }

  of(type: Type, depth: number): string {
    const { random, model } = this
    const again = (of: Type = type) => this.of(of, depth - 1)
    if (type === 'bool') {
      if (depth <= 1) return this.comparison(depth)
      const op = random.pick(['And', 'Or', 'Xor', 'Not', 'compare', 'compare', 'Cast'])
      if (op === 'compare') return this.comparison(depth)
      if (op === 'Cast') return model.add('Cast', [again('int64')], { to: codes.bool })
      return model.add(op, op === 'Not' ? [again()] : [again(), again()])
    }
    if (depth <= 0) return this.leaf(type)
    if (random.chance(0.12)) return model.add('Where', [again('bool'), again(), again()])
    if (random.chance(0.1)) return model.add(random.pick(['Min', 'Max']), [again(), again()])
    if (random.chance(0.1)) return this.moved(type, depth)
    return type === 'int64' ? this.integer(depth) : this.float(type, depth)
  }

  private leaf(type: Type): string {
    const { random, model } = this
    if (type === 'int64' && random.chance(0.75)) return random.pick(this.sizes)
    if (type === 'int64') return this.constant('int64', random.int(-9, 20))
    if (random.chance(0.75)) return model.add('Cast', [random.pick(this.sizes)], { to: codes[type] })
    const fractions = [0.5, 0.25, 1.5, 2, 3, -1, 1 / 3, 13 / 11, 0.1, 1 / 32, 7, 1e-6]
    return this.constant(type as DType, Math.fround(random.pick(fractions)))
  }

  private integer(depth: number): string {
    const { random, model } = this
    const a = () => this.of('int64', depth - 1)
    const divisor = () =>
      random.chance(0.7)
        ? this.constant('int64', random.pick([2, 3, 4, 8, 32, 7, -2, -3]))
        : model.add('Add', [model.add('Abs', [a()]), this.constant('int64', 1)])
    const op = random.pick(['Add', 'Sub', 'Mul', 'Div', 'Div', 'Mod', 'Neg', 'Abs', 'Cast', 'Cast', 'truth', 'floor'])
    if (op === 'Div') return model.add(op, [a(), divisor()])
    if (op === 'Mod') return model.add(op, [a(), divisor()], random.chance(0.5) ? { fmod: 1 } : {})
    if (op === 'Neg' || op === 'Abs') return model.add(op, [a()])
    if (op === 'Cast') return model.add(op, [this.of(random.pick(['float32', 'float64']), depth)], { to: codes.int64 })
    if (op === 'truth') return model.add('Cast', [this.of('bool', depth - 1)], { to: codes.int64 })
    if (op === 'floor') return this.floorDivision(a(), divisor())
    if (op === 'Mul') return model.add(op, [a(), this.leaf('int64')])
    return model.add(op, [a(), a()])
  }

  /** As torch spells it: the truncated quotient, less 1 where the remainder has another sign than the divisor. */
  private floorDivision(a: string, b: string): string {
    const { model } = this
    const [zero, one] = [this.constant('int64', 0), this.constant('int64', 1)]
    const quotient = model.add('Div', [a, b])
    const rest = model.add('Sub', [a, model.add('Mul', [quotient, b])])
    const apart = model.add('Xor', [model.add('Less', [rest, zero]), model.add('Less', [b, zero])])
    const mask = model.add('And', [model.add('Not', [model.add('Equal', [rest, zero])]), apart])
    return model.add('Where', [mask, model.add('Sub', [quotient, one]), quotient])
  }

  private float(type: Type, depth: number): string {
    const { random, model } = this
    const a = () => this.of(type, depth - 1)
    const op = random.pick(['Add', 'Sub', 'Mul', 'Mul', 'Div', 'Floor', 'Ceil', 'Round', 'Sqrt', 'Neg', 'Cast'])
    if (['Floor', 'Ceil', 'Round', 'Neg'].includes(op)) return model.add(op, [a()])
    if (op === 'Sqrt') return model.add(op, [model.add('Abs', [a()])])
    if (op === 'Cast')
      return model.add(op, [this.of(random.pick(['int64', 'float32', 'float64']), depth - 1)], { to: codes[type] })
    if (op !== 'Div') return model.add(op, [a(), a()])
    const one = this.constant(type as DType, 1)
    return model.add(op, [
      a(),
      random.chance(0.5)
        ? this.constant(type as DType, random.pick([2, 3, 0.7, 32]))
        : model.add('Add', [model.add('Abs', [a()]), one])
    ])
  }

  private comparison(depth: number): string {
    const { random, model } = this
    const type = random.pick(['int64', 'int64', 'float32'] as const)
    const op = random.pick(['Equal', 'Less', 'Greater', 'LessOrEqual', 'GreaterOrEqual'])
    return model.add(op, [this.of(type, depth - 1), this.of(type, depth - 1)])
  }

  /** One of several, picked by an operator that moves them. */
  private moved(type: Type, depth: number): string {
    const { random, model } = this
    const list = model.add('Concat', [this.of(type, depth - 1), this.leaf(type), this.leaf(type)], { axis: 0 })
    const at = random.int(0, 2)
    if (type === 'int64' && random.chance(0.3)) return model.add('ReduceProd', [list], { axes: [0], keepdims: 1 })
    if (random.chance(0.5)) return model.add('Slice', [list, model.ints([at]), model.ints([at + 1])])
    return model.add('Gather', [list, model.ints([at - 3])], { axis: 0 })
  }
}

const bindingsOf = (random: Random) =>
  Object.fromEntries(
    names.map(name => [name, random.chance(0.1) ? 0 : random.chance(0.1) ? random.int(300, 900) : random.int(1, 60)])
  )

const feedsOf = (bindings: Readonly<Record<string, number>>): Named =>
  Object.fromEntries(
    names.map(name => [name, { dtype: 'float32', dims: [bindings[name]], data: new Float32Array(bindings[name]) }])
  )

test('expressions over free sizes are what onnxruntime computes of them', async () => {
  const random = new Random('expressions')
  let [taken, all] = [0, 0]
  for (let i = 0; i < 60; i++) {
    const expressions = new Expressions(random)
    const { model } = expressions
    const types = Array.from({ length: 8 }, () => random.pick(['int64', 'int64', 'int64', 'bool', 'float32'] as const))
    model.output(...types.map(type => expressions.of(type, random.int(1, 4))))
    const bytes = model.encode()
    const graph = importOnnx(bytes)
    infer(graph)
    const oracle = await Oracle.load(bytes)
    for (let j = 0; j < 10; j++) {
      const bindings = bindingsOf(random)
      const expected = await oracle.run(feedsOf(bindings))
      for (const [at, value] of graph.outputs.entries()) {
        if (j === 0) all++
        if (!value.ints && !value.data) continue
        if (j === 0) taken++
        // What shape arithmetic takes for granted is checked in front of a run.
        const granted = [...graph.folding.assumed.values()].every(
          ({ a, b }) => evaluate(a, bindings) === evaluate(b, bindings)
        )
        const wanted = Number(expected[model.outputs[at]].data[0])
        if (granted)
          assert.equal(
            numberOf(value, bindings) + 0,
            wanted + 0,
            `${value.name} for ${JSON.stringify(bindings)}: ${value.ints?.map(show)}`
          )
      }
    }
    await oracle.release()
  }
  assert.ok(taken > 0.97 * all, `${taken} of ${all} are taken`)
})

function numberOf({ ints, data }: Value, bindings: Readonly<Record<string, number>>): number {
  return ints ? evaluate(ints[0], bindings) : Number(data![0])
}

test('tensors have the sizes that such expressions give them', async () => {
  const random = new Random('shapes')
  let compiled = 0
  for (let i = 0; i < 12; i++) {
    const expressions = new Expressions(random)
    const { model } = expressions
    const shape = Array.from({ length: 2 }, () => {
      const size = expressions.of('int64', random.int(1, 3))
      return model.add('Mod', [model.add('Abs', [size]), model.ints([9])])
    })
    const made = model.add('ConstantOfShape', [model.add('Concat', shape, { axis: 0 })])
    const values = model.add('Cast', [model.add('Concat', shape, { axis: 0 })], { to: codes.float32 })
    model.output(model.add('Expand', [model.scalar(2), model.add('Shape', [made])]), values)
    const bytes = model.encode()
    const file = await compile(bytes).catch((error: CompileError) =>
      assert.match(error.message, /must be known|takes more than 8192 letters/)
    )
    if (!file) continue
    compiled++
    const [oracle, session] = [await Oracle.load(bytes), await InferenceSession.create(file)]
    for (let j = 0; j < 6; j++) {
      const bindings = bindingsOf(random)
      const feeds = feedsOf(bindings)
      const expected = await oracle.run(feeds)
      const found = await session.run(
        Object.fromEntries(
          Object.entries(feeds).map(([name, { dims, data }]) => [
            name,
            new Tensor('float32', data as Float32Array, [...dims])
          ])
        )
      )
      for (const name of model.outputs) {
        assert.equal([...found[name].dims], [...expected[name].dims], JSON.stringify(bindings))
        assert.equal([...(found[name].data as Float32Array)], [...Array.from(expected[name].data)])
      }
    }
    await Promise.all([oracle.release(), session.release()])
  }
  assert.ok(compiled >= 9, `${compiled} of 12 compile`)
})

test.run()
