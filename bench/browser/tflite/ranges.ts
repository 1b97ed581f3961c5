// The ranges of what a plan computes on calibrating inputs, as TensorFlow Lite's converter takes them for int8.
import { decodePlan, encodePlan, type Feed, findEngine, type Plan } from '../../../cli/measure/index.js'

/** The least and the largest element of each tensor, 0 always among them. */
export type Ranges = ReadonlyMap<number, readonly [low: number, high: number]>

/** Calls whose operands have the scale of what they give; kernels of int8 move the bytes. */
const moving = new Set(['maxPool', 'reshape', 'concat', 'pad', 'resizeLinear', 'resizeNearest'])

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
  for (const given of feeds) {
    const opened = await engine.open(encodePlan(open, [weights]), given, { threads: 1 })
    for (const { name, data } of await opened.run()) {
      let [low, high] = [0, 0]
      for (const value of data as Float32Array) {
        if (value < low) low = value
        if (value > high) high = value
      }
      widen(Number(name), low, high)
    }
    await opened.release()
  }
  return shared(plan, ranges, widen)
}

/** One range for all that `moving` calls tie together. */
function shared(
  plan: Plan,
  ranges: ReadonlyMap<number, readonly [number, number]>,
  widen: (id: number, low: number, high: number) => void
): Ranges {
  const groups = new Map<number, Set<number>>()
  for (const { call, inputs, outputs } of plan.steps) {
    if (!moving.has(call)) continue
    const all = new Set([...inputs, ...outputs].flatMap(id => [...(groups.get(id) ?? [id])]))
    for (const id of all) groups.set(id, all)
  }
  for (const group of new Set(groups.values()))
    for (const from of group) for (const id of group) widen(id, ...ranges.get(from)!)
  return ranges
}
