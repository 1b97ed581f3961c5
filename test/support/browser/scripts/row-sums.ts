// A compute shader that shows whether a WebGPU works: a loop, shared memory, a barrier. Runs in Node and in a page.
import { mapRead, usage } from '../../../../runtime/webgpu/usage.js'

const shader = `
  override columns: u32;
  @group(0) @binding(0) var<storage, read> x: array<f32>;
  @group(0) @binding(1) var<storage, read_write> y: array<f32>;
  var<workgroup> parts: array<f32, 64>;

  @compute @workgroup_size(64)
  fn main(@builtin(workgroup_id) row: vec3u, @builtin(local_invocation_index) lane: u32) {
    var sum = 0f;
    for (var i = lane; i < columns; i += 64u) { sum += x[row.x * columns + i]; }
    parts[lane] = sum;
    workgroupBarrier();
    if (lane == 0u) {
      for (var i = 1u; i < 64u; i++) { sum += parts[i]; }
      y[row.x] = sum;
    }
  }`

/** The sums of the rows of x. */
export async function rowSums(gpu: GPU, x: Float32Array<ArrayBuffer>, rows: number): Promise<Float32Array> {
  const device = await (await gpu.requestAdapter())!.requestDevice()
  const module = device.createShaderModule({ code: shader })
  const constants = { columns: x.length / rows }
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module, constants } })
  const buffer = (size: number, usage: number) => device.createBuffer({ size, usage })
  const input = buffer(x.byteLength, usage.storage | usage.copyTarget)
  const output = buffer(4 * rows, usage.storage | usage.copySource)
  const readable = buffer(4 * rows, usage.mapRead | usage.copyTarget)
  device.queue.writeBuffer(input, 0, x)
  const encoder = device.createCommandEncoder()
  const pass = encoder.beginComputePass()
  pass.setPipeline(pipeline)
  const entries = [input, output].map((buffer, binding) => ({ binding, resource: { buffer } }))
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }))
  pass.dispatchWorkgroups(rows)
  pass.end()
  encoder.copyBufferToBuffer(output, 0, readable, 0, 4 * rows)
  device.queue.submit([encoder.finish()])
  await readable.mapAsync(mapRead)
  const sums = new Float32Array(readable.getMappedRange().slice(0))
  device.destroy()
  return sums
}
