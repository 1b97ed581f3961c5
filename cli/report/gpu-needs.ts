import type { GpuDispatch } from '../../runtime/backend/index.js'
import { type Bindings, decode, type Header, planProgram, widthOf } from '../../runtime/file/index.js'
import {
  blockOf,
  curveOf,
  type GpuCall,
  heldOf,
  operandOf,
  Pipelines,
  planBanks,
  programOf,
  withScratch
} from '../../runtime/webgpu/index.js'

/** What a file asks of a WebGPU device, told without one. */
export interface GpuNeeds {
  /** Those that a run needs, and those that prepare weights when it is loaded. */
  readonly pipelines: { readonly run: number; readonly all: number }
  /** Bytes of the largest storage buffer that is bound: the device's `maxStorageBufferBindingSize` has to allow it. */
  readonly binding: number
  /** Those of a run, as a session has them. */
  readonly dispatches: readonly GpuDispatch[]
}

/** `maxStorageBufferBindingSize` of every device; larger weights are divided. */
const leastBinding = 128 * 2 ** 20

/**
 * With activations held as `element` and free dimensions bound, on a device that binds `limit` bytes at once. Throws CairnError
 * for a kernel that has no shader.
 */
export function gpuNeeds(
  file: Header,
  bindings: Bindings,
  limit = leastBinding,
  element: 'f32' | 'f16' = 'f32'
): GpuNeeds {
  const program = programOf(file, element, limit)
  const { header, setup, calls } = program
  const banks = planBanks([...setup, ...calls], header, limit, element)
  // Addresses are multiples of 16 bytes wherever they are, and nothing else of them chooses a pipeline.
  const pipelines = Pipelines.of(recorder(), element)
  const madeOf = (list: readonly GpuCall[]) =>
    list.flatMap(call => {
      const block = blockOf(call, bindings, () => 0)
      const argument = operandOf(call)
      const operand = heldOf(banks, argument, element)
      const loaded = argument?.space === 'storage'
      const switches = { halves: operand === 'f16', loaded, curve: curveOf(block) }
      const { name: kernel } = header.kernels[call.call.kernel]
      return call.shader.dispatches(block).map(dispatch => {
        const own = { ...dispatch, call: call.origin, node: call.call.node, kernel, block, operand }
        return { own, pipeline: pipelines.get(dispatch, switches, kernel) }
      })
    })
  const made = madeOf(calls)
  const run = [...new Set(made.map(({ pipeline }) => pipeline))]
  const { bytes: arena } = planProgram(withScratch(program, bindings, false), bindings)
  return {
    pipelines: {
      run: run.length,
      all: new Set([...run, ...madeOf(setup).map(({ pipeline }) => pipeline)]).size
    },
    binding: Math.max((arena / 4) * widthOf(element), banks.derivedBytes, ...banks.sizes),
    dispatches: made.map(({ own, pipeline }) => ({ ...own, pipeline: run.indexOf(pipeline) }))
  }
}

/** The dispatches of a run of a compiled file, on a device that binds all it has at once. Throws CairnError as `gpuNeeds` does. */
export function gpuDispatches(file: Uint8Array, bindings: Bindings, element?: 'f32' | 'f16'): readonly GpuDispatch[] {
  return gpuNeeds(decode(file).header, bindings, Number.POSITIVE_INFINITY, element).dispatches
}

/** A device that makes nothing: enough for pipelines to be told apart. */
function recorder(): GPUDevice {
  const made = () => ({})
  return {
    features: new Set(),
    createBindGroupLayout: made,
    createPipelineLayout: made,
    createShaderModule: made,
    createComputePipelineAsync: async () => ({}),
    pushErrorScope: made,
    popErrorScope: made
  } as unknown as GPUDevice
}
