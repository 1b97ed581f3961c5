import type { Argument, Header, Plan } from '../../file/index.js'

/** What training steps change. It lies in front of everything else in the arena, which calls may write. */
export class ArenaStates {
  /** Of all together, each beginning at a multiple of four. */
  readonly elements: number
  private readonly places: readonly { readonly at: number; readonly length: number }[]

  constructor({ states }: Header) {
    let elements = 0
    this.places = states.map(({ shape }) => {
      const length = shape.reduce((a, b) => a * b, 1)
      const at = elements
      elements += Math.ceil(length / 4) * 4
      return { at, length }
    })
    this.elements = elements
  }

  /** Where a state lies and how long it is, in elements. */
  placeOf(index: number): { readonly at: number; readonly length: number } {
    return this.places[index]
  }

  /** Where an argument that is a state begins; undefined of anything else. */
  addressOf({ space, index }: Argument): number | undefined {
    return space === 'derived' ? this.places[index]?.at : undefined
  }

  /** A plan behind the states. */
  inFrontOf(plan: Plan): Plan {
    const first = this.elements * 4
    return { ...plan, offsets: plan.offsets.map(offset => offset + first), bytes: plan.bytes + first }
  }

  /** Takes them along to a larger arena. */
  move(device: GPUDevice, from: GPUBuffer, to: GPUBuffer): void {
    if (!this.elements) return
    const encoder = device.createCommandEncoder()
    encoder.copyBufferToBuffer(from, 0, to, 0, this.elements * 4)
    device.queue.submit([encoder.finish()])
  }
}
