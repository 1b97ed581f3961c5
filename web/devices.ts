/** The devices that a model can run on, the best first. */
export interface Device {
  readonly name: string
  readonly label: string
  /** Why it cannot be had here; nothing when it can. */
  missing(): Promise<string | undefined>
  /** Makes it known to sessions of this thread. */
  register(): Promise<unknown>
}

export const devices: readonly Device[] = [
  { name: 'webgpu', label: 'GPU (WebGPU)', missing: webgpuMissing, register: () => import('cairn/webgpu') },
  { name: 'wasm', label: 'CPU (WebAssembly)', missing: async () => undefined, register: async () => undefined }
]

/** Double precision, slowly; the engine's compiler brings it along, and only checks use it. */
export const reference = { name: 'reference', label: 'Reference (double precision, slow)' } as const

export function labelOf(name: string): string {
  return [...devices, reference].find(device => device.name === name)?.label ?? name
}

export async function registerDevices(names: readonly string[]): Promise<void> {
  for (const device of devices) if (names.includes(device.name)) await device.register()
}

async function webgpuMissing(): Promise<string | undefined> {
  if (!navigator.gpu) return 'this browser has no WebGPU'
  try {
    await import('cairn/webgpu')
  } catch (error) {
    return (error as Error).message
  }
  return (await navigator.gpu.requestAdapter()) ? undefined : 'WebGPU finds no adapter'
}
