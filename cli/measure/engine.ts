/**
 * One runtime under measurement, Cairn or a peer. A module of this folder holds each, and imports nothing but that
 * runtime, so that a fresh process that loads one of them pays for no other.
 */
export interface Engine {
  /** Loads `model`, the bytes that this engine takes: .cairn, ONNX, or a plan for TensorFlow.js. */
  /** From bytes, or where `readsFiles` from a path. */
  open(model: Uint8Array | string, feeds: readonly Feed[], options: EngineOptions): Promise<Opened>
  /** Whether it loads from a path by itself; others are given the bytes. */
  readonly readsFiles?: boolean
}

export interface Feed {
  readonly name: string
  readonly type: string
  readonly dims: readonly number[]
  readonly data: ArrayLike<number> | ArrayLike<bigint>
}

export interface EngineOptions {
  readonly threads: number
  /** Cairn's device, and on WebGPU how it holds activations. */
  readonly device?: string
  readonly precision?: 'f32' | 'f16'
}

export interface Opened {
  /** One run on the feeds, from handing them over to having the outputs as arrays. */
  run(): Promise<readonly Output[]>
  release(): Promise<void>
}

export interface Output {
  readonly name: string
  readonly dims: readonly number[]
  readonly type: string
  readonly data: ArrayLike<number> | ArrayLike<bigint>
}

export const engineNames = ['cairn', 'ort-web', 'ort-node', 'ort-webgpu', 'tfjs'] as const
export type EngineName = (typeof engineNames)[number]
export type PeerName = Exclude<EngineName, 'cairn'>
export const peerNames = engineNames.filter(name => name !== 'cairn')
/** Those that compute on the CPU. */
export const cpuPeers = peerNames.filter(name => name !== 'ort-webgpu')

/** The npm packages that a peer needs; Cairn depends on none of them. */
export const packagesOf: Readonly<Record<PeerName, readonly string[]>> = {
  'ort-web': ['onnxruntime-web'],
  'ort-node': ['onnxruntime-node'],
  'ort-webgpu': ['onnxruntime-node', 'webgpu'],
  tfjs: ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm']
}

export const titles: Readonly<Record<EngineName, string>> = {
  cairn: 'Cairn',
  'ort-web': 'onnxruntime-web (wasm)',
  'ort-node': 'onnxruntime-node',
  'ort-webgpu': 'onnxruntime-node (webgpu)',
  tfjs: 'TensorFlow.js (wasm)'
}

let gpu: Promise<unknown> | undefined

/** What is no part of a start: onnxruntime's Dawn takes the Vulkan loader and the driver that Cairn's has found. */
export async function prepare(name: EngineName): Promise<void> {
  if (name === 'ort-webgpu') await (gpu ??= import('../device/gpu.js').then(({ openGpu }) => openGpu()))
}
