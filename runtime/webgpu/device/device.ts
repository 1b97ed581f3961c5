import type { ProviderOptions } from '../../backend/index.js'
import { CairnError, env, Unavailable } from '../../base/index.js'

/**
 * The device that sessions share, unless the caller gives one of its own. It is opened for the first session and
 * destroyed behind the last, because an open device keeps Node from ending; after a loss the next session opens another.
 */
export interface Lease {
  readonly device: GPUDevice
  release(): void
}

/** Limits that a session uses as far as the adapter has them; all others stay at what every device has. */
const wantedLimits = [
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY'
] as const
const wantedFeatures = ['core-features-and-limits', 'shader-f16', 'timestamp-query', 'subgroups'] as const

let shared: { readonly device: Promise<GPUDevice>; users: number } | undefined

export async function lease(own: GPUDevice | undefined = env.webgpu.device): Promise<Lease> {
  if (own) {
    if (await isLost(own)) throw new CairnError("it is the application's own, which has to make a session on another")
    return { device: own, release: () => undefined }
  }
  shared ??= { device: open(), users: 0 }
  const holding = shared
  holding.users++
  const release = () => {
    if (--holding.users) return
    forget(holding)
    holding.device.then(device => device.destroy()).catch(() => undefined)
  }
  try {
    const device = await holding.device
    void device.lost.then(() => forget(holding))
    return { device, release: once(release) }
  } catch (error) {
    forget(holding)
    throw new Unavailable((error as Error).message)
  }
}

/** Whether the news of a loss is there, or on its way through the queue of promises. */
function isLost({ lost }: GPUDevice): Promise<boolean> {
  return Promise.race([lost.then(() => true), new Promise<boolean>(resolve => setTimeout(resolve, 0, false))])
}

function forget(holding: typeof shared): void {
  if (shared === holding) shared = undefined
}

function once(action: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    action()
  }
}

/** Why there is no WebGPU here; undefined where there is. */
export async function missing({ device }: ProviderOptions): Promise<string | undefined> {
  if (device ?? env.webgpu.device) return undefined
  try {
    await adapter()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

export async function isFallback({ device }: ProviderOptions): Promise<boolean> {
  return !(device ?? env.webgpu.device) && isImitation((await adapter()).info)
}

/** Whether an adapter is a program on the CPU; not all of them admit it. */
export function isImitation({ isFallbackAdapter, architecture, description }: GPUAdapterInfo): boolean {
  return isFallbackAdapter || /swiftshader|llvmpipe/i.test(`${architecture} ${description}`)
}

/** Whether a device belongs to such a program, as far as it is told: older browsers do not. */
export function isImitated(device: GPUDevice): boolean {
  const { adapterInfo } = device as { adapterInfo?: GPUAdapterInfo }
  return adapterInfo !== undefined && isImitation(adapterInfo)
}

async function adapter(): Promise<GPUAdapter> {
  const gpu = env.webgpu.gpu ?? globalThis.navigator?.gpu ?? (await dawn())
  if (!gpu) throw new CairnError('this browser has no WebGPU')
  asked = gpu
  const { powerPreference = 'high-performance' } = env.webgpu
  // Older graphics interfaces are enough, whose adapters are only given to who says so.
  const found =
    (await gpu.requestAdapter({ powerPreference })) ??
    (await gpu.requestAdapter({ powerPreference, featureLevel: 'compatibility' }))
  if (!found) throw new CairnError('WebGPU has no adapter here: no GPU with a driver that it can use')
  return found
}

/** The last that was asked, which may be a Dawn that no variable names. */
let asked: GPU | undefined

/** Whether WGSL has a feature here; of a device that came from elsewhere it is not known. */
export function languageHas(feature: string): boolean {
  return (env.webgpu.gpu ?? globalThis.navigator?.gpu ?? asked)?.wgslLanguageFeatures?.has(feature) ?? false
}

/** Dawn for Node: alive for as long as somebody refers to it. */
let dawnGpu: Promise<GPU> | undefined

function dawn(): Promise<GPU> | undefined {
  if (!globalThis.process?.versions?.node) return undefined
  return (dawnGpu ??= import('./dawn.js').then(dawn => dawn.openDawn()))
}

async function open(): Promise<GPUDevice> {
  const found = await adapter()
  const requiredFeatures = wantedFeatures.filter(name => found.features.has(name))
  const requiredLimits = Object.fromEntries(wantedLimits.map(name => [name, found.limits[name]]))
  return found.requestDevice({ requiredFeatures, requiredLimits }).catch(error => {
    throw new CairnError(`the GPU gives no device: ${(error as Error).message}`)
  })
}
