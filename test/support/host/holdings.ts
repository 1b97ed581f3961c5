// What this process holds on to, and whether that grows: JavaScript's heap, memory outside of it, WebAssembly memories,
// buffers of a GPU, workers.
import { setTimeout as pause } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as assert from 'uvu/assert'
import { disguised } from '../gpu.js'

setFlagsFromString('--expose-gc')
const { Bun: bun } = globalThis as { Bun?: { gc(wait: boolean): void } }
const collectGarbage = bun ? () => bun.gc(true) : (runInNewContext('gc') as () => void)

/** By kind, how much more there may be in the end: of bytes what caches and compiled code make of it, of things none. */
const allowances = {
  heap: 1 << 20,
  rss: 24 << 20,
  external: 1 << 20,
  arrayBuffers: 64 << 10,
  memories: 0,
  gpuBuffers: 0,
  workers: 0
}
type Kind = keyof typeof allowances
export type Holdings = Readonly<Record<Kind, number>>
const kinds = Object.keys(allowances) as Kind[]

const alive = { memories: 0, gpuBuffers: 0, workers: 0 }

const collected = new FinalizationRegistry(() => {
  alive.memories--
})

WebAssembly.Memory = class extends WebAssembly.Memory {
  constructor(descriptor: WebAssembly.MemoryDescriptor) {
    super(descriptor)
    alive.memories++
    collected.register(this, undefined)
  }
}

const threads = process.getBuiltinModule('node:worker_threads')
threads.Worker = class extends threads.Worker {
  constructor(...given: ConstructorParameters<typeof threads.Worker>) {
    super(...given)
    alive.workers++
    this.on('exit', () => alive.workers--)
  }
}

/** The device, with its buffers counted from when they are made to when they are destroyed. */
export function counted(device: GPUDevice): GPUDevice {
  const createBuffer = (descriptor: GPUBufferDescriptor) => {
    const buffer = device.createBuffer(descriptor)
    const destroy = buffer.destroy.bind(buffer)
    let live = true
    alive.gpuBuffers++
    buffer.destroy = () => {
      if (live) alive.gpuBuffers--
      live = false
      destroy()
    }
    return buffer
  }
  return disguised(device, { createBuffer })
}

/** What is held once everything that nobody needs has been collected. */
export async function held(): Promise<Holdings> {
  // What is collected says so in a turn of the event loop, and may let go of more.
  for (let i = 0; i < 2; i++) {
    collectGarbage()
    await pause(1)
  }
  const { heapUsed: heap, rss, external, arrayBuffers } = process.memoryUsage()
  return { heap, rss, external, arrayBuffers, ...alive }
}

/** Does `work` so often, and throws where the last quarter of the time holds more than the second did. */
export async function flat(what: string, times: number, work: (i: number) => Promise<void>): Promise<void> {
  const samples: Holdings[] = []
  const quarter = 4
  for (let i = 0; i < times; i++) {
    await work(i)
    if (Math.floor(((i + 1) * 4 * quarter) / times) > samples.length) samples.push(await held())
  }
  assert.is(samples.length, 4 * quarter)
  const sorted = (kind: Kind, from: number) =>
    samples
      .slice(from, from + quarter)
      .map(each => each[kind])
      .sort((a, b) => a - b)
  // What is kept for good is in every late sample; a collector that looks at the stack may take one run's arrays for alive.
  const found = kinds.map(kind => ({
    kind,
    early: sorted(kind, quarter)[quarter >> 1],
    late: sorted(kind, 3 * quarter)[0]
  }))
  const shown = found.map(({ kind, early, late }) =>
    late < 1e5 ? `${kind} ${early} → ${late}` : `${kind} ${(early / 1e6).toFixed(2)} → ${(late / 1e6).toFixed(2)} MB`
  )
  console.log(`${what}: ${shown.join(', ')}`)
  for (const { kind, early, late } of found)
    assert.ok(late - early <= allowances[kind], `${what}: ${kind} grows from ${early} to ${late}`)
}
