import type { Subject } from '../../cli/measure/index.js'
import { type Feeds, InferenceSession, Tensor, type Type } from '../../runtime/index.js'

/** A subject in a session on WebGPU, with its feeds as tensors. */
export async function gpuSession(
  { file, feeds }: Subject,
  precision: 'f32' | 'f16'
): Promise<{ session: InferenceSession; feeds: Feeds }> {
  const session = await InferenceSession.create(file, { executionProviders: [{ name: 'webgpu', precision }] })
  const tensors = feeds.map(({ name, type, data, dims }) => [
    name,
    new Tensor(type as Type, data as Float32Array, dims)
  ])
  return { session, feeds: Object.fromEntries(tensors) }
}
