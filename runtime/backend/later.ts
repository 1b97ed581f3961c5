import { Unavailable } from '../base/index.js'
import { type Backend, backendNamed, registerBackend } from './backend.js'

/** Registers WebGPU, whose code `load` brings when somebody asks for it, unless `cairnjs/webgpu` has brought it. */
export function registerWebGpu(load: () => Promise<{ readonly webgpuBackend: Backend }>): void {
  if (backendNamed('webgpu')) return
  const webgpu = () => loaded(load)
  registerBackend({
    name: 'webgpu',
    missing: async provider => (await webgpu()).missing?.(provider),
    isFallback: async provider => (await webgpu()).isFallback?.(provider) ?? false,
    load: async (file, options) => (await webgpu()).load(file, options)
  })
}

async function loaded(load: Parameters<typeof registerWebGpu>[0]): Promise<Backend> {
  try {
    return (await load()).webgpuBackend
  } catch (error) {
    throw new Unavailable(
      `its code cannot be loaded here (${(error as Error).message}); import "cairnjs/webgpu" brings it along`
    )
  }
}
