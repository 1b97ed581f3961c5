import { usage } from '../usage.js'

/** Buffers that wait to be given out again, at most; the oldest makes room. */
const mostFree = 8

/** Buffers of tensors that stay on a device. What a caller has disposed of is given out again, so that steady runs create none. */
export class Kept {
  private free: GPUBuffer[] = []
  private readonly given = new Set<GPUBuffer>()

  constructor(private readonly device: GPUDevice) {}

  get bytes(): number {
    return [...this.free, ...this.given].reduce((sum, { size }) => sum + size, 0)
  }

  take(bytes: number): GPUBuffer {
    const at = this.free.findIndex(({ size }) => size === bytes)
    const flags = usage.storage | usage.copySource | usage.copyTarget
    const buffer =
      at < 0
        ? this.device.createBuffer({ label: 'cairn tensor', size: bytes, usage: flags })
        : this.free.splice(at, 1)[0]
    this.given.add(buffer)
    return buffer
  }

  give(buffer: GPUBuffer): void {
    if (!this.given.delete(buffer)) return
    this.free.push(buffer)
    if (this.free.length > mostFree) this.free.shift()!.destroy()
  }

  /** Destroys what nobody holds; what callers hold is theirs from now on. */
  release(): void {
    for (const buffer of this.free) buffer.destroy()
    this.free = []
    this.given.clear()
  }
}
