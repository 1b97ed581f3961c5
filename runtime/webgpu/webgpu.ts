import type { Backend } from '../backend/index.js'
import { isFallback, missing } from './device/device.js'
import { WebGpuExecutor } from './executor.js'

/** WebGPU, in browsers and, with the package `webgpu`, in Node. */
export const webgpuBackend = {
  name: 'webgpu',
  missing,
  isFallback,
  load: (file, options) => WebGpuExecutor.load(file, options)
} satisfies Backend
