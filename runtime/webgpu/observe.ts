import type { Elements } from '../backend.js'
import { type Bindings, evaluate } from '../dims.js'
import { type Observer, storagesWritten } from '../golden.js'
import { widthOf } from '../program.js'
import type { Resident } from './resident.js'

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
  const width = widthOf(resident.element)
  const startOf = (storage: number) => (plan.offsets[storage] / 4) * width
  const spoil = (isFirst: (call: number) => boolean) =>
    plan.blocks.forEach(({ first, bytes }, i) => {
      if (!bytes || !isFirst(first)) return
      const words = new Uint32Array(((bytes / 4) * width) / 4).fill(nans)
      resident.device.queue.writeBuffer(resident.arena!, startOf(i), words)
    })
  spoil(first => first < 0)
  await resident.submit(feeds, { ...bound, steps: [] }, () => undefined)
  for (let call = 0; call < resident.callCount; call++) {
    spoil(first => calls[first]?.origin === call)
    const own = steps.filter(step => step.call === call)
    await resident.submit([], { ...bound, steps: own }, () => undefined)
    const written: Float32Array[] = []
    for (const i of new Set(calls.filter(({ origin }) => origin === call).flatMap(each => storagesWritten(each.call))))
      written.push(await resident.download(resident.arena!, evaluate(header.storages[i], bindings), startOf(i)))
    see(call, written)
  }
}
