import type { Backend } from '../backend.js'
import { missing } from './device.js'
import { WebGpuExecutor } from './executor.js'

export const webgpuBackend: Backend = {
  name: 'webgpu',
  missing,
  load: (file, options) => WebGpuExecutor.load(file, options)
}
