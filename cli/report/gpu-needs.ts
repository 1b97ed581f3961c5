import { type Bindings, type Header, planProgram } from '../../runtime/file/index.js'
import { blockOf, operandOf, Pipelines, planBanks, programOf } from '../../runtime/webgpu/index.js'

/** What a file asks of a WebGPU device, told without one. */
export interface GpuNeeds {
  /** Those that a run needs, and those that prepare weights when it is loaded. */
  readonly pipelines: { readonly run: number; readonly all: number }
  /** Bytes of the largest storage buffer that is bound: the device's `maxStorageBufferBindingSize` has to allow it. */
  readonly binding: number
}

/** `maxStorageBufferBindingSize` of every device; larger weights are divided. */
const leastBinding = 128 * 2 ** 20

/** The last of the activations that are no more than a bound (compiler/ops/elementwise/activation.ts). */
const lastBound = 1

/** In single precision, with free dimensions bound. Throws CairnError for a kernel that has no shader. */
export function gpuNeeds(file: Header, bindings: Bindings): GpuNeeds {
  const { header, setup, calls } = programOf(file, 'f32', leastBinding)
  const { held, sizes, derivedBytes } = planBanks([...setup, ...calls], header, leastBinding)
  // Addresses are multiples of 16 bytes wherever they are, and nothing else of them chooses a pipeline.
  const pipelines = Pipelines.of(recorder(), 'f32')
  const pipelinesOf = (list: typeof calls) =>
    list.flatMap(call => {
      const block = blockOf(call, bindings, () => 0)
      const operand = operandOf(call)
      const switches = {
        halves: operand?.space === 'constant' && held[operand.index] === 'f16',
        loaded: operand?.space === 'storage',
        curves: block.act > lastBound
      }
      const { name } = header.kernels[call.call.kernel]
      return call.shader.dispatches(block).map(dispatch => pipelines.get(dispatch, switches, name))
    })
  const run = new Set(pipelinesOf(calls))
  const { bytes: arena } = planProgram(file, bindings)
  return {
    pipelines: { run: run.size, all: new Set([...run, ...pipelinesOf(setup)]).size },
    binding: Math.max(arena, derivedBytes, ...sizes)
  }
}

/** A device that makes nothing: enough for pipelines to be told apart. */
function recorder(): GPUDevice {
  const made = () => ({})
  return {
    createBindGroupLayout: made,
    createPipelineLayout: made,
    createShaderModule: made,
    createComputePipelineAsync: async () => ({}),
    pushErrorScope: made,
    popErrorScope: made
  } as unknown as GPUDevice
}
