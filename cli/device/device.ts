import { env, mostThreads } from '../../runtime/base/index.js'
import type { SessionOptions } from '../../runtime/index.js'
import { type Flags, type Option, UsageError } from '../terminal/index.js'
import { openGpu } from './gpu.js'

const devices = ['wasm', 'webgpu', 'reference', 'auto'] as const

/** Flags of commands that run models. */
export const deviceOption: Option = {
  flag: '--device',
  value: 'NAME',
  help: 'wasm, webgpu, reference, or auto: the faster of wasm and webgpu (default auto)'
}
export const wideOption: Option = {
  flag: '--wide',
  help: "the wide kernels of the CPU path, on V8's experimental revectoriser (Node from 24 on x64)"
}
export const deviceOptions: readonly Option[] = [
  deviceOption,
  { flag: '--threads', value: 'N', help: 'threads of the CPU path, 1 to 16 (default 1)' },
  wideOption
]

/** Of commands that compute gradients, which begin on the CPU path as training does. */
export const gradientOptions: readonly Option[] = [
  { ...deviceOption, help: deviceOption.help.replace('default auto', 'default wasm') },
  ...deviceOptions.slice(1)
]

/** The device that `gradientOptions` ask for, opened; undefined where none is named. */
export async function gradientDevice(flags: Flags): Promise<string | undefined> {
  askForWide(flags)
  if (flags.text('device') === undefined) return undefined
  const device = flags.choice('device', devices, 'wasm')
  await openDevice(device)
  return device
}

export interface DeviceOptions extends SessionOptions {
  readonly device: string
  readonly numThreads: number
}

/** What `--device` and `--threads` ask for, with WebGPU opened where it may be used. */
export async function sessionOptionsOf(flags: Flags): Promise<DeviceOptions> {
  const device = flags.choice('device', devices, 'auto')
  const numThreads = flags.whole('threads') ?? 1
  if (numThreads > mostThreads)
    throw new UsageError(`--threads ${numThreads}: a whole number from 1 to ${mostThreads} is allowed`)
  askForWide(flags)
  await openDevice(device)
  return { device, executionProviders: [device], numThreads }
}

/** What `--wide` asks for, for the whole process. */
export function askForWide(flags: Flags): void {
  if (flags.has('wide')) env.wasm.wide = true
}

/** Makes WebGPU available in Node for a device that needs it, or may. */
export async function openDevice(device: string): Promise<void> {
  if (device === 'webgpu') env.webgpu.gpu ??= await openGpu()
  if (device === 'auto') env.webgpu.gpu ??= whenAsked()
}

/** A GPU that is looked for when a model is tried on it. What has none of its own is not worth a trial; the reason is kept. */
function whenAsked(): GPU {
  let opened: Promise<GPU> | undefined
  const requestAdapter: GPU['requestAdapter'] = async options =>
    (await (opened ??= openGpu([], { imitation: false }))).requestAdapter(options)
  return { requestAdapter } as unknown as GPU
}
