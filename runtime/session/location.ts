import type { Elements, Executor } from '../backend/index.js'
import { CairnError } from '../base/index.js'
import { copyFloats, type Data, fromFloats, Tensor } from '../tensor/index.js'

/** Where outputs are left. */
export type Location = 'cpu' | 'gpu-buffer'

/** Why outputs cannot be left where `locations` wants them. */
export function refusedLocation(
  locations: Location | Readonly<Record<string, Location>> | undefined,
  { gpu }: Executor,
  device: string
): CairnError | undefined {
  const wanted = typeof locations === 'string' ? [locations] : Object.values(locations ?? {})
  if (gpu || !wanted.includes('gpu-buffer')) return undefined
  return new CairnError(
    `preferredOutputLocation "gpu-buffer" needs the device webgpu; "${device}" gives outputs on the cpu`
  )
}

/** A feed's elements in memory of their own, or the buffer that holds them on the session's GPU. */
export function elementsOf(name: string, feed: Tensor, { gpu }: Executor, device: string): Elements {
  if (feed.location !== 'gpu-buffer') return copyFloats(feed)
  if (!gpu) throw new CairnError(`input "${name}" lies on the GPU; the device "${device}" takes what getData() gives`)
  const wanted = gpuType(gpu.precision)
  if (feed.type !== wanted)
    throw new CairnError(`input "${name}" is a GPU buffer of ${feed.type}; this session holds ${wanted} there`)
  return feed.gpuBuffer
}

/** How a session's buffers on the GPU hold elements, whatever the model's type. */
const gpuType = (precision: 'f32' | 'f16') => (precision === 'f16' ? 'float16' : 'float32')

/** An output as a tensor: of elements on the CPU, or of a buffer on the session's GPU. */
export function tensorOf(dtype: string, computed: Elements, dims: readonly number[], { gpu }: Executor): Tensor {
  if (ArrayBuffer.isView(computed)) return fromFloats(dtype, computed, dims)
  const type = gpuType(gpu!.precision)
  const elements = dims.reduce((a, b) => a * b, 1)
  return Tensor.fromGpuBuffer(computed, {
    dataType: type,
    dims,
    download: async () => fromFloats(type, await gpu!.download(computed, elements), dims).data as Data,
    dispose: () => gpu!.dispose(computed)
  })
}
