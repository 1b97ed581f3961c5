// What TensorFlow Lite has a name for and a plan of TensorFlow.js spells out.
import type { Plan, Step } from '../../../cli/measure/index.js'

type Constant = (id: number) => number | undefined

const close = (a: number | undefined, b: number) => a !== undefined && Math.abs(a - b) < 1e-6

/** Activations of convolutions that TensorFlow Lite does not fuse are steps of their own. */
export function separated(plan: Plan): Plan {
  let next =
    1 + Math.max(...[...plan.inputs, ...plan.weights].map(({ id }) => id), ...plan.steps.flatMap(s => s.outputs))
  const steps = plan.steps.flatMap((step): Step[] => {
    if (step.options.activation !== 'sigmoid') return [step]
    const id = next++
    return [
      { ...step, outputs: [id], options: { ...step.options, activation: 'linear' } },
      { call: 'sigmoid', inputs: [id], outputs: step.outputs, dead: [], options: {} }
    ]
  })
  return { ...plan, steps }
}

/** HardSigmoid and HardSwish by name, and rectifiers in the layer before them. `scalar` gives constants of one element. */
export function fused(plan: Plan, scalar: Constant): Plan {
  const makers = new Map(plan.steps.map(step => [step.outputs[0], step]))
  const uses = new Map<number, number>()
  for (const id of [...plan.steps.flatMap(({ inputs }) => inputs), ...plan.outputs.map(({ id }) => id)])
    uses.set(id, (uses.get(id) ?? 0) + 1)
  const gone = new Set<Step>()
  const made = new Map<Step, Step>()
  const maker = (id: number, call: string) => {
    const step = makers.get(id)
    return step?.call === call && uses.get(id) === 1 ? step : undefined
  }
  /** The other operand of a commutative step whose one operand is that constant. */
  const beside = (step: Step | undefined, value: number) => {
    const at = step?.inputs.findIndex(id => close(scalar(id), value)) ?? -1
    return at < 0 ? undefined : step!.inputs[1 - at]
  }

  for (const step of plan.steps) {
    if (step.call !== 'clip' || step.options.low !== 0 || step.options.high !== 1) continue
    const sum = maker(step.inputs[0], 'add')
    const product = sum && maker(beside(sum, 0.5) ?? -1, 'mul')
    const x = beside(product, 1 / 6)
    if (!sum || !product || x === undefined) continue
    gone.add(sum).add(product)
    made.set(step, { ...step, call: 'hardSigmoid', inputs: [x], options: {} })
  }
  for (const step of plan.steps) {
    if (step.call !== 'mul') continue
    for (const [at, id] of step.inputs.entries()) {
      const gate = maker(id, 'clip')
      const x = gate && made.get(gate)?.inputs[0]
      if (x === undefined || x !== step.inputs[1 - at]) continue
      gone.add(gate!)
      made.set(step, { ...step, call: 'hardSwish', inputs: [x], options: {} })
    }
  }
  for (const step of plan.steps) {
    if (step.call !== 'relu' && step.call !== 'relu6') continue
    const before = makers.get(step.inputs[0])
    const [takes, linear] = [['add', 'sub', 'mul'], before?.options.activation ?? 'linear']
    if (!before || !takes.includes(before.call) || linear !== 'linear' || uses.get(step.inputs[0]) !== 1) continue
    gone.add(step)
    made.set(before, { ...before, outputs: step.outputs, options: { ...before.options, activation: step.call } })
  }
  return { ...plan, steps: plan.steps.filter(step => !gone.has(step)).map(step => made.get(step) ?? step) }
}
