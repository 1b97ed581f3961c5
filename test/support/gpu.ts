// WebGPU in Node for tests: the machine's own adapter, or SwiftShader.
import { openGpu, unadmitted } from '../../cli/device/gpu.js'

let opened: Promise<GPU> | undefined

/**
 * A navigator.gpu, whose devices do not admit that they are programs on the CPU, so that dispatches are those of a GPU, unless
 * CAIRN_IMITATED is set; rejects with the reason to skip where there is none, or where only the CPU part is wanted.
 */
export function gpu(): Promise<GPU> {
  return (opened ??= process.env.CAIRN_CPU
    ? Promise.reject(new Error('--cpu leaves WebGPU out'))
    : openGpu().then(process.env.CAIRN_IMITATED ? undefined : unadmitted))
}

/** Why there is no WebGPU here, or undefined where there is. */
export async function withoutGpu(): Promise<string | undefined> {
  try {
    await gpu()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** A GPU whose language has no features; its adapters are those of `gpu`. */
export function withoutLanguage(gpu: GPU): GPU {
  const requestAdapter: GPU['requestAdapter'] = options => gpu.requestAdapter(options)
  return { requestAdapter, wgslLanguageFeatures: new Set<string>() } as unknown as GPU
}

/** A device that answers for `properties` itself. */
export function disguised(device: GPUDevice, properties: Readonly<Record<string, unknown>>): GPUDevice {
  return new Proxy(device, {
    get(target, name) {
      if (typeof name === 'string' && name in properties) return properties[name]
      const value = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}
