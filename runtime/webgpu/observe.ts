import type { Elements } from '../backend/index.js'
import { type Bindings, evaluate, type Observer, storagesWritten, widthOf } from '../file/index.js'
import type { Resident } from './resident.js'
import { mappedRange } from './steps.js'
import { usage } from './usage.js'

/** Two NaNs of half precision, which are one of single precision. */
const nans = 0x7fc17fc1

/** Makes the calls of the file one by one, and fetches what each has written for `see`. */
export async function observeCalls(
  resident: Resident,
  feeds: readonly Elements[],
  bindings: Bindings,
  see: Observer
): Promise<void> {
  const bound = await resident.bind(bindings)
  const { plan, steps } = bound
  const { calls, header } = resident.program
  const { device, element } = resident
  const width = widthOf(element)
  const startOf = (storage: number) => (plan.offsets[storage] / 4) * width
  const bytesOf = (storage: number) => (plan.blocks[storage].bytes / 4) * width
  const spoil = (isFirst: (call: number) => boolean) =>
    plan.blocks.forEach(({ first, bytes }, i) => {
      if (bytes && isFirst(first))
        device.queue.writeBuffer(resident.arena!, startOf(i), new Uint32Array(bytesOf(i) / 4).fill(nans))
    })
  spoil(first => first < 0)
  await resident.submit(feeds, { ...bound, steps: [] }, () => undefined)
  for (let call = 0; call < resident.callCount; call++) {
    spoil(first => calls[first]?.origin === call)
    const own = steps.filter(step => step.call === call)
    const made = calls.filter(({ origin }) => origin === call)
    const storages = [...new Set(made.flatMap(each => storagesWritten(each.call)))]
    const size = storages.reduce((sum, i) => sum + bytesOf(i), 0)
    const target = device.createBuffer({ label: 'cairn layer', size, usage: usage.mapRead | usage.copyTarget })
    try {
      const submitted = resident.submit([], { ...bound, steps: own }, (encoder, arena) => {
        let to = 0
        for (const i of storages) {
          encoder.copyBufferToBuffer(arena, startOf(i), target, to, bytesOf(i))
          to += bytesOf(i)
        }
      })
      const [mapped] = await Promise.all([mappedRange(target), submitted])
      let at = 0
      const written = storages.map(i => {
        const elements = resident.widened(mapped, at, evaluate(header.storages[i], bindings))
        at += bytesOf(i)
        return elements
      })
      see(call, written)
    } finally {
      target.destroy()
    }
  }
}
