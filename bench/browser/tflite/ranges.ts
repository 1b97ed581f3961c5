// The ranges of what a plan computes on calibrating inputs, as TensorFlow Lite's converter takes them for int8.
import { decodePlan, encodePlan, type Feed, findEngine, type Plan, type Step } from '../../../cli/measure/index.js'

/** The least and the largest element of each tensor, 0 always among them. */
export type Ranges = ReadonlyMap<number, readonly [low: number, high: number]>

/** Calls whose operands have the scale of what they give; kernels of int8 move the bytes. */
const moving = new Set(['maxPool', 'avgPool', 'reshape', 'concat', 'pad', 'resizeLinear'])

/** A mean of the whole map has a scale of its own. */
const isMean = ({ call, inputs, outputs, options }: Step, lengths: ReadonlyMap<number, number>) => {
  const { size, strides } = options as { size: number[]; strides: number[] }
  if (call !== 'avgPool' || strides.some(stride => stride > 1)) return false
  return lengths.get(outputs[0])! * size[0] * size[1] === lengths.get(inputs[0])
}

export async function rangesOf(bytes: Uint8Array, feeds: readonly (readonly Feed[])[]): Promise<Ranges> {
  const { plan, weights } = decodePlan(bytes)
  const ids = [...plan.inputs.map(({ id }) => id), ...plan.steps.flatMap(({ outputs }) => outputs)]
  const open: Plan = {
    ...plan,
    steps: plan.steps.map(step => ({ ...step, dead: [] })),
    outputs: ids.map(id => ({ name: String(id), id, dims: [], order: [] }))
  }
  const engine = await findEngine('tfjs')
  const ranges = new Map<number, readonly [number, number]>(ids.map(id => [id, [0, 0]]))
  const widen = (id: number, low: number, high: number) => {
    const [least, most] = ranges.get(id)!
    ranges.set(id, [Math.min(least, low), Math.max(most, high)])
  }
  const lengths = new Map<number, number>()
  for (const given of feeds) {
    const opened = await engine.open(encodePlan(open, [weights]), given, { threads: 1 })
    for (const { name, data } of await opened.run()) {
      let [low, high] = [0, 0]
      for (const value of data as Float32Array) {
        if (value < low) low = value
        if (value > high) high = value
      }
      widen(Number(name), low, high)
      lengths.set(Number(name), data.length)
    }
    await opened.release()
  }
  const tied = plan.steps.filter(step => moving.has(step.call) && !isMean(step, lengths))
  share(tied, ranges, widen)
  return ranges
}

/** One range for all that these steps tie together. */
function share(steps: readonly Step[], ranges: Ranges, widen: (id: number, low: number, high: number) => void): void {
  const groups = new Map<number, Set<number>>()
  for (const { inputs, outputs } of steps) {
    const all = new Set([...inputs, ...outputs].flatMap(id => [...(groups.get(id) ?? [id])]))
    for (const id of all) groups.set(id, all)
  }
  for (const group of new Set(groups.values()))
    for (const from of group) for (const id of group) widen(id, ...ranges.get(from)!)
}
