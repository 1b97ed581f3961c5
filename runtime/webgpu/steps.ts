import type { Dispatch } from '../../shaders/dispatch.js'
import { CairnError } from '../base/index.js'
import { type Bindings, type Dim, evaluate, type Held, type Plan } from '../file/index.js'
import { mapRead } from './usage.js'

/** One dispatch, ready to be recorded. */
export interface Step {
  /** Which of the file's calls it is a part of, its node and its kernel. */
  readonly call: number
  readonly node: string
  readonly kernel: string
  readonly pipeline: GPUComputePipeline
  readonly group: GPUBindGroup
  readonly offset: readonly [number]
  readonly groups: readonly [number, number, number]
  /** What it was made from. */
  readonly dispatch: Dispatch
  readonly block: Readonly<Record<string, number>>
  readonly operand: Held
}

export interface PortPlace {
  /** Byte offset in the arena. */
  readonly at: number
  readonly elements: number
  /** Byte offset in the buffer that results are read from. */
  readonly to: number
}

export interface Bound {
  readonly key: string
  readonly plan: Plan
  readonly steps: readonly Step[]
  readonly inputs: readonly PortPlace[]
  readonly outputs: readonly PortPlace[]
}

/** Where a storage begins in the arena, in elements; nothing may begin behind its end, or in front of it, but of nothing anywhere. */
export function storageAt({ offsets, blocks }: Plan, index: number, offset: Dim, bindings: Bindings): number {
  const at = evaluate(offset, bindings) * 4
  const { bytes } = blocks[index]
  if (bytes && !(at >= 0 && at <= bytes))
    throw new CairnError(`storage ${index} of ${bytes} bytes is used at byte ${at}`)
  return offsets[index] / 4
}

export function record(pass: GPUComputePassEncoder, steps: readonly Step[]): void {
  for (const { pipeline, group, offset, groups } of steps) {
    // Of nothing there is nothing to do, about which devices would be heard to wonder.
    if (groups.includes(0)) continue
    pass.setPipeline(pipeline)
    pass.setBindGroup(0, group, offset)
    pass.dispatchWorkgroups(...groups)
  }
}

export const isArray = (feed: Float32Array | GPUBuffer): feed is Float32Array => ArrayBuffer.isView(feed)

export async function mappedRange(buffer: GPUBuffer): Promise<ArrayBuffer> {
  await buffer.mapAsync(mapRead)
  return buffer.getMappedRange()
}
