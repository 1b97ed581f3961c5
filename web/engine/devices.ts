/** The devices that a model can run on, the best first. */
export interface Device {
  readonly name: string
  readonly label: string
  /** Why it cannot be had here; nothing when it can. */
  missing(): Promise<string | undefined>
}

export const devices: readonly Device[] = [
  { name: 'webgpu', label: 'GPU (WebGPU)', missing: webgpuMissing },
  { name: 'wasm', label: 'CPU (WebAssembly)', missing: async () => undefined }
]

/** Double precision, slowly; the engine's compiler brings it along, and only checks use it. */
export const reference = { name: 'reference', label: 'Reference (double precision, slow)' } as const

export function labelOf(name: string): string {
  return [...devices, reference].find(device => device.name === name)?.label ?? name
}

async function webgpuMissing(): Promise<string | undefined> {
  if (!navigator.gpu) return 'this browser has no WebGPU'
  return (await navigator.gpu.requestAdapter()) ? undefined : 'WebGPU finds no adapter'
}
