/**
 * A network for TensorFlow.js: its own calls in order, on tensors by number. Made ahead of time from Cairn's graph
 * (cli/measure/tfjs/convert.ts) and stored as bytes, as TensorFlow.js's converter would store its models, so that a process that
 * runs one loads TensorFlow.js and nothing of Cairn's compiler. Shapes and axes are physical: channels lie innermost.
 */
export interface Plan {
  readonly inputs: readonly PlanInput[]
  readonly weights: readonly PlanWeight[]
  readonly steps: readonly Step[]
  readonly outputs: readonly PlanOutput[]
}

export interface PlanInput {
  readonly name: string
  readonly id: number
  /** Logical axes as the memory holds them; the feed is transposed once, before anything is timed. */
  readonly order: readonly number[]
}

export interface PlanWeight {
  readonly id: number
  readonly shape: readonly number[]
  /** In elements. */
  readonly offset: number
}

export interface PlanOutput {
  readonly name: string
  readonly id: number
  readonly dims: readonly number[]
  readonly order: readonly number[]
}

export interface Step {
  readonly call: string
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  /** Tensors that nobody reads after this step. */
  readonly dead: readonly number[]
  readonly options: Readonly<Record<string, unknown>>
}

export function encodePlan(plan: Plan, weights: readonly Float32Array[]): Uint8Array {
  const head = new TextEncoder().encode(JSON.stringify(plan))
  const start = Math.ceil((4 + head.length) / 4) * 4
  const bytes = new Uint8Array(start + 4 * weights.reduce((sum, { length }) => sum + length, 0))
  new DataView(bytes.buffer).setUint32(0, head.length, true)
  bytes.set(head, 4)
  let at = start
  for (const { buffer, byteOffset, byteLength } of weights) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at)
    at += byteLength
  }
  return bytes
}

export function decodePlan(bytes: Uint8Array): { plan: Plan; weights: Float32Array } {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  const plan = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)))
  const start = Math.ceil((4 + length) / 4) * 4
  return { plan, weights: new Float32Array(bytes.slice(start).buffer) }
}

/** Elements of a dense tensor of `dims` with its axes laid in `order`; `back` is the way from there to plain. */
export function permuted(
  data: ArrayLike<number>,
  dims: readonly number[],
  order: readonly number[],
  back = false
): Float32Array {
  const result = new Float32Array(data.length)
  const strides = dims.map((_, axis) => dims.slice(axis + 1).reduce((a, b) => a * b, 1))
  const sizes = order.map(axis => dims[axis])
  const steps = order.map(axis => strides[axis])
  const index = sizes.map(() => 0)
  let plain = 0
  for (let at = 0; at < result.length; at++) {
    if (back) result[plain] = data[at]
    else result[at] = data[plain]
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      plain += steps[axis]
      if (++index[axis] < sizes[axis]) break
      plain -= steps[axis] * sizes[axis]
      index[axis] = 0
    }
  }
  return result
}
