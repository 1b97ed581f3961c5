import type { Dim } from '../../../compiler/algebra/index.js'
import { isConstant, type Node, type Value } from '../../../compiler/graph/index.js'
import { type ActivationName, orderOf } from '../../../compiler/ops/index.js'
import { type Bindings, evaluate } from '../../../runtime/file/index.js'
import { InputError } from '../../terminal/index.js'
import { encodePlan, type Plan, type PlanInput, type PlanWeight, permuted, type Step } from './plan.js'

export type Options = Readonly<Record<string, unknown>>

/** TensorFlow.js has no call for it, or none that means the same. */
export function refuse(node: Node, why: string): InputError {
  return new InputError(`TensorFlow.js cannot run ${node.op} "${node.name}": ${why}`)
}

/**
 * Collects the calls of a plan. Values of the graph keep their logical shapes and their order in memory, which the
 * layout pass has chosen: a tensor's physical shape is its logical one read in that order.
 */
export class Planner {
  private readonly ids = new Map<Value, number>()
  private readonly inputs: PlanInput[] = []
  private readonly weights: PlanWeight[] = []
  private readonly data: Float32Array[] = []
  private readonly constants = new Map<string, number>()
  private readonly steps: Omit<Step, 'dead'>[] = []
  private offset = 0
  private count = 0

  constructor(private readonly bindings: Bindings) {}

  sizes(dims: readonly Dim[]): number[] {
    return dims.map(dim => evaluate(dim, this.bindings))
  }

  /** The shape as memory holds it. */
  physical(value: Value): number[] {
    const shape = this.sizes(value.shape)
    return orderOf(value).map(axis => shape[axis])
  }

  input(order: readonly number[], name: string): number {
    const id = this.count++
    this.inputs.push({ name, id, order })
    return id
  }

  define(value: Value, id: number): void {
    this.ids.set(value, id)
  }

  id(value: Value): number {
    const known = this.ids.get(value)
    if (known !== undefined) return known
    if (!isConstant(value)) throw new InputError(`TensorFlow.js: "${value.name}" is computed from shapes`)
    const id = this.constant(value.name, value.data, this.physical(value))
    this.ids.set(value, id)
    return id
  }

  /** A constant tensor; equal `key`s share one. */
  constant(key: string, data: ArrayLike<number>, shape: readonly number[]): number {
    const known = this.constants.get(key)
    if (known !== undefined) return known
    const id = this.count++
    this.weights.push({ id, shape, offset: this.offset })
    this.data.push(Float32Array.from(data))
    this.offset += data.length
    this.constants.set(key, id)
    return id
  }

  scalar(value: number): number {
    return this.constant(`scalar ${value}`, [value], [])
  }

  call(name: string, inputs: readonly number[], options: Options = {}): number {
    return this.callMany(name, inputs, 1, options)[0]
  }

  callMany(call: string, inputs: readonly number[], outputs: number, options: Options): number[] {
    const made = Array.from({ length: outputs }, () => this.count++)
    this.steps.push({ call, inputs, outputs: made, options })
    return made
  }

  /** `value` as an operand of something that lies in `order`: its missing axes are in front, and of size 1. */
  aligned(value: Value, order: readonly number[]): number {
    const missing = order.length - value.rank
    const shape = [...new Array<number>(missing).fill(1), ...this.sizes(value.shape)]
    const own = [...Array.from({ length: missing }, (_, i) => i), ...orderOf(value).map(axis => axis + missing)]
    const wanted = order.map(axis => shape[axis])
    if (isConstant(value) && own.every((axis, i) => axis === i))
      return this.constant(`${value.name} in ${order}`, permuted(value.data, shape, order), wanted)
    const id = this.id(value)
    const solid = (axes: readonly number[]) => axes.filter(axis => shape[axis] !== 1).join()
    if (own.join() === order.join() && !missing) return id
    if (solid(own) === solid(order)) return this.call('reshape', [id], { shape: wanted })
    const whole = missing ? this.call('reshape', [id], { shape: own.map(axis => shape[axis]) }) : id
    return this.call('transpose', [whole], { perm: order.map(axis => own.indexOf(axis)) })
  }

  /** What `node` has fused into itself; `own` says which of it the call has done. */
  activated(node: Node, id: number, own = 'identity'): number {
    const name = node.text('act', 'identity') as ActivationName
    return name === own || name === 'identity' ? id : this.activation(node, name, id)
  }

  activation(node: Node, name: ActivationName, id: number): number {
    const [a, b] = [node.number('alpha', 0), node.number('beta', 0)]
    const gate = () => {
      const line = this.call('add', [this.call('mul', [id, this.scalar(a)]), this.scalar(b)])
      return this.call('clip', [line], { low: 0, high: 1 })
    }
    if (name === 'clip') {
      if (a === 0 && b === Number.POSITIVE_INFINITY) return this.call('relu', [id])
      if (a === 0 && b === 6) return this.call('relu6', [id])
      const limit = (value: number) => Math.min(Math.max(value, -3.4e38), 3.4e38)
      return this.call('clip', [id], { low: limit(a), high: limit(b) })
    }
    if (name === 'leakyRelu') return this.call('leakyRelu', [id], { alpha: a })
    if (name === 'hardSigmoid') return gate()
    if (name === 'hardSwish') return this.call('mul', [id, gate()])
    if (name === 'silu') return this.call('mul', [id, this.call('sigmoid', [id])])
    if (name === 'affine') return this.call('add', [this.call('mul', [id, this.scalar(a)]), this.scalar(b)])
    const plain = ['sigmoid', 'tanh', 'selu', 'softplus', 'exp', 'log', 'sqrt', 'abs', 'neg']
    if (plain.includes(name) || (name === 'elu' && a === 1)) return this.call(name, [id])
    throw refuse(node, `the activation ${name} has no call`)
  }

  /** The activation of a convolution or matrix product as the call's own option, where it has one. */
  fused(node: Node): { readonly name: string; readonly options: Options } {
    const name = node.text('act', 'identity')
    const [a, b] = [node.number('alpha', 0), node.number('beta', 0)]
    const own = (activation: string) => ({ name, options: { activation, alpha: a } })
    if (name === 'clip' && a === 0 && b === Number.POSITIVE_INFINITY) return own('relu')
    if (name === 'clip' && a === 0 && b === 6) return own('relu6')
    if (name === 'leakyRelu') return own('leakyrelu')
    if (name === 'sigmoid') return own('sigmoid')
    return { name: 'identity', options: { activation: 'linear' } }
  }

  /** The plan's bytes; each tensor dies behind the last step that reads it. */
  finish(outputs: readonly { readonly value: Value; readonly name: string }[]): Uint8Array {
    const results = outputs.map(({ value, name }) => ({
      name,
      id: this.id(value),
      dims: this.sizes(value.shape),
      order: orderOf(value)
    }))
    const kept = new Set([...results, ...this.weights].map(({ id }) => id))
    const last = new Map<number, number>()
    this.steps.forEach(({ inputs, outputs }, at) => {
      for (const id of [...outputs, ...inputs]) last.set(id, at)
    })
    const dying = this.steps.map((): number[] => [])
    for (const [id, at] of last) if (!kept.has(id)) dying[at].push(id)
    const steps = this.steps.map((step, at) => ({ ...step, dead: dying[at] }))
    const plan: Plan = { inputs: this.inputs, weights: this.weights, steps, outputs: results }
    return encodePlan(plan, this.data)
  }
}
