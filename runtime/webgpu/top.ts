import { each } from '../../shaders/dispatch.js'
import type { TopRows } from '../backend/index.js'
import type { Stored } from '../file/index.js'
import type { Scored } from '../tensor/index.js'
import { dispatchTool, toolOf } from './device/tool.js'
import { mapRead, usage } from './usage.js'

/** The best classes of each row of a buffer of scores, found on the GPU: eight bytes a class come back. */
export async function topOfBuffer(
  device: GPUDevice,
  scores: GPUBuffer,
  element: Stored,
  { rows, classes, count, softmax }: TopRows
): Promise<Scored[][]> {
  const tool = await toolOf(device, 'top', element, 16)
  const size = rows * count * 8
  const best = device.createBuffer({ size, usage: usage.storage | usage.copySource })
  const readback = device.createBuffer({ size, usage: usage.mapRead | usage.copyTarget })
  const words = new Uint32Array([rows, classes, count, Number(softmax)])
  dispatchTool(device, tool, words.buffer, [{ buffer: scores }, best], each(rows), encoder =>
    encoder.copyBufferToBuffer(best, 0, readback, 0, size)
  )
  await readback.mapAsync(mapRead)
  const mapped = readback.getMappedRange().slice(0)
  readback.destroy()
  best.destroy()
  const [floats, indices] = [new Float32Array(mapped), new Uint32Array(mapped)]
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: count }, (_, i) => (row * count + i) * 2)
      .map(at => ({ index: indices[at + 1], score: floats[at] }))
      // Rows of nothing but NaN have no best.
      .filter(({ index }) => index < classes)
  )
}
