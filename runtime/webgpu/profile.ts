import type { Elements } from '../backend/index.js'
import type { Bindings } from '../file/index.js'
import type { Resident } from './resident.js'
import { record, type Step } from './steps.js'
import { mapRead, usage } from './usage.js'

/** The most timestamps that one query set holds. */
const mostQueries = 4096

/**
 * Milliseconds of each call: by timestamps around a pass for each dispatch, where the device has them, else by waiting for
 * each call, which counts the way there and back as well.
 */
export async function timeCalls(resident: Resident, feeds: readonly Elements[], bindings: Bindings): Promise<number[]> {
  const bound = await resident.bind(bindings)
  const times = new Array<number>(resident.callCount).fill(0)
  // A whole run first; what the timed calls find in the arena behind it does not change their time.
  await resident.submit(feeds, bound, () => undefined)
  const { device } = resident
  const stamped = device.features.has('timestamp-query') && bound.steps.length * 2 <= mostQueries
  const spans = stamped ? await stampSteps(device, bound.steps) : await waitForSteps(device, bound.steps)
  bound.steps.forEach(({ call }, i) => (times[call] += spans[i]))
  return times
}

async function stampSteps(device: GPUDevice, steps: readonly Step[]): Promise<number[]> {
  const count = steps.length * 2
  const querySet = device.createQuerySet({ type: 'timestamp', count })
  const size = count * 8
  const resolved = device.createBuffer({ size, usage: usage.queryResolve | usage.copySource })
  const readback = device.createBuffer({ size, usage: usage.mapRead | usage.copyTarget })
  const encoder = device.createCommandEncoder()
  steps.forEach((step, i) => {
    const pass = encoder.beginComputePass({
      timestampWrites: { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 }
    })
    record(pass, [step])
    pass.end()
  })
  encoder.resolveQuerySet(querySet, 0, count, resolved, 0)
  encoder.copyBufferToBuffer(resolved, 0, readback, 0, size)
  device.queue.submit([encoder.finish()])
  await readback.mapAsync(mapRead)
  const stamps = new BigUint64Array(readback.getMappedRange().slice(0))
  readback.destroy()
  resolved.destroy()
  querySet.destroy()
  // A clock that was reset in between says nothing.
  return steps.map((_, i) => Math.max(Number(stamps[2 * i + 1] - stamps[2 * i]) / 1e6, 0))
}

async function waitForSteps(device: GPUDevice, steps: readonly Step[]): Promise<number[]> {
  const spans: number[] = []
  for (const step of steps) {
    const began = performance.now()
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    record(pass, [step])
    pass.end()
    device.queue.submit([encoder.finish()])
    await device.queue.onSubmittedWorkDone()
    spans.push(performance.now() - began)
  }
  return spans
}
