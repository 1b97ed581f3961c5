import { usage } from './usage.js'

/** Buffers of outputs that stay on the GPU. What a caller has disposed of is given out again, so that steady runs create none. */
export class Kept {
  private readonly free: GPUBuffer[] = []
  private readonly given = new Set<GPUBuffer>()

  take(device: GPUDevice, bytes: number): GPUBuffer {
    const at = this.free.findIndex(({ size }) => size === bytes)
    const flags = usage.storage | usage.copySource | usage.copyTarget
    const buffer =
      at < 0 ? device.createBuffer({ label: 'cairn output', size: bytes, usage: flags }) : this.free.splice(at, 1)[0]
    this.given.add(buffer)
    return buffer
  }

  give(buffer: GPUBuffer): void {
    if (this.given.delete(buffer)) this.free.push(buffer)
    else buffer.destroy()
  }

  /** Destroys what nobody holds and forgets what callers do: it is of a device that is gone, or of a session that is. */
  release(): void {
    for (const buffer of this.free.splice(0)) buffer.destroy()
    this.given.clear()
  }
}
