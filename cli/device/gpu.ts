import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Dawn, loadDawn, preload } from '../../runtime/webgpu/index.js'
import { unpacked } from '../model/index.js'
import { InputError } from '../terminal/index.js'
import { findDriver, only } from './vulkan.js'

/**
 * WebGPU for Node: Dawn, from the optional companion `webgpu`, on the adapter that the machine has. On Linux, where a machine
 * has no Vulkan driver that Dawn can use, or none is to be asked (`system`), SwiftShader is taken, which computes on the CPU (`imitation`), if the package
 * @sparticuz/chromium is there to bring it.
 */
export async function openGpu(
  flags: readonly string[] = [],
  { imitation = true, system: wanted = true }: { imitation?: boolean; system?: boolean } = {}
): Promise<GPU> {
  const { create } = await dawn()
  // Drivers with window systems complain without it.
  process.env.XDG_RUNTIME_DIR ??= tmpdir()
  const system = wanted ? await openSystem(create, flags) : undefined
  if (!system && !imitation) throw new InputError('this machine has no WebGPU adapter')
  const gpu = system ?? (await openSwiftShader(create, flags))
  return keep(gpu)
}

/** Dawn without a GPU: it checks and records everything, as a GPU would be asked it, and nothing computes. */
export async function openNullGpu(): Promise<GPU> {
  const { create } = await dawn()
  return keep(unadmitted(create(['backend=null'])))
}

/** The same, whose devices do not admit that they are no GPU: dispatches are chosen for one. */
export function unadmitted(gpu: GPU): GPU {
  const findAdapter = gpu.requestAdapter.bind(gpu)
  return own(gpu, 'requestAdapter', async (options?: GPURequestAdapterOptions) => {
    const adapter = await findAdapter(options)
    const openDevice = adapter?.requestDevice.bind(adapter)
    const requestDevice = async (wanted?: GPUDeviceDescriptor) =>
      own(await openDevice!(wanted), 'adapterInfo', { description: 'a GPU' })
    return adapter && own(adapter, 'requestDevice', requestDevice)
  })
}

/** An object that answers for one of its properties itself. */
function own<T extends object>(object: T, name: keyof T, value: unknown): T {
  return Object.defineProperty(object, name, { value, configurable: true })
}

/** Dawn, and with it every device, ends when this object is collected. */
function keep(gpu: GPU): GPU {
  kept.push(gpu)
  return gpu
}

const kept: GPU[] = []

type Create = Dawn['create']

/** Dawn, with the globals that browsers have. */
async function dawn(): Promise<Dawn> {
  const loaded = await loadDawn().catch(error => {
    throw new InputError((error as Error).message)
  })
  for (const [name, value] of Object.entries(loaded.globals))
    if (!(name in globalThis)) Reflect.set(globalThis, name, value)
  return loaded
}

async function openSystem(create: Create, flags: readonly string[]): Promise<GPU | undefined> {
  if (!(await findDriver(flags))) return undefined
  const gpu = create([...flags])
  return (await gpu.requestAdapter()) ? gpu : undefined
}

async function openSwiftShader(create: Create, flags: readonly string[]): Promise<GPU> {
  const folder = await unpacked('swiftshader', ['swiftshader.tar.br'])
  if (!folder) {
    const help =
      process.platform === 'linux' && process.arch === 'x64' ? '; npm i @sparticuz/chromium brings a slow one' : ''
    throw new InputError(`this machine has no WebGPU adapter${help}`)
  }
  Object.assign(process.env, only([join(folder, 'vk_swiftshader_icd.json')]))
  preload(join(folder, 'libvulkan.so.1'))
  const gpu = create([...flags])
  if (!(await gpu.requestAdapter())) throw new InputError(`SwiftShader in ${folder} does not start on this machine`)
  return gpu
}
