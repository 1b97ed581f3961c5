import { sources } from '../../../shaders/sources.js'
import { CairnError } from '../../base/index.js'
import type { Stored } from '../../file/index.js'
import { usage } from '../usage.js'

/** A shader of one entry point beside a program's own, with its uniform block: what images and best classes take. */
export interface Tool {
  readonly pipeline: GPUComputePipeline
  readonly block: GPUBuffer
}

const tools = new WeakMap<GPUDevice, Map<string, Promise<Tool>>>()

/** Made once a device; `blockBytes` is the size of its uniform block. */
export function toolOf(device: GPUDevice, name: string, element: Stored, blockBytes: number): Promise<Tool> {
  const known = tools.get(device) ?? new Map<string, Promise<Tool>>()
  tools.set(device, known)
  const key = `${name} ${element}`
  let tool = known.get(key)
  if (!tool) {
    tool = makeTool(device, name, element, blockBytes)
    known.set(key, tool)
  }
  return tool
}

async function makeTool(device: GPUDevice, name: string, element: Stored, blockBytes: number): Promise<Tool> {
  const code = `${sources[`element-${element}`]}\n${sources[name]}`
  const module = device.createShaderModule({ label: name, code })
  const pipeline = await device
    .createComputePipelineAsync({ label: name, layout: 'auto', compute: { module, entryPoint: name } })
    .catch(error => {
      throw new CairnError(`the shader ${name} does not compile on this device: ${(error as Error).message}`)
    })
  const block = device.createBuffer({ label: name, size: blockBytes, usage: usage.uniform | usage.copyTarget })
  return { pipeline, block }
}

export function dispatchTool(
  device: GPUDevice,
  { pipeline, block }: Tool,
  words: ArrayBuffer,
  resources: readonly [input: GPUBindingResource, output: GPUBuffer],
  groups: readonly [number, number, number],
  behind: (encoder: GPUCommandEncoder) => void = () => undefined
): void {
  device.queue.writeBuffer(block, 0, words)
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [
      { binding: 0, resource: resources[0] },
      { binding: 1, resource: { buffer: block } },
      { binding: 2, resource: { buffer: resources[1] } }
    ]
  })
  const encoder = device.createCommandEncoder()
  const pass = encoder.beginComputePass()
  pass.setPipeline(pipeline)
  pass.setBindGroup(0, group)
  pass.dispatchWorkgroups(...groups)
  pass.end()
  behind(encoder)
  device.queue.submit([encoder.finish()])
}
