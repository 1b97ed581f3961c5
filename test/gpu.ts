// WebGPU in Node: that there is an adapter, and that it computes.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { filesOfTar } from '../compiler/cli/archive.js'
import { gpu, withoutGpu } from './support/gpu.js'
import { baseSeed, Random } from './support/random.js'
import { skip } from './support/skip.js'

const test = suite(`gpu (seed ${baseSeed})`)
const random = new Random('gpu')

/** Each element of y is the sum of a row of x, by a loop and a barrier. */
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

async function rowSums(device: GPUDevice, x: Float32Array<ArrayBuffer>, rows: number): Promise<Float32Array> {
  const module = device.createShaderModule({ code: shader })
  const constants = { columns: x.length / rows }
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module, constants } })
  const buffer = (size: number, usage: number) => device.createBuffer({ size, usage })
  const input = buffer(x.byteLength, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST)
  const output = buffer(4 * rows, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC)
  const readable = buffer(4 * rows, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST)
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
  await readable.mapAsync(GPUMapMode.READ)
  return new Float32Array(readable.getMappedRange().slice(0))
}

const reason = await withoutGpu()
if (reason) skip('a compute shader in Node', reason)
else
  test('a compute shader in Node', async () => {
    const adapter = (await (await gpu()).requestAdapter())!
    console.log(`adapter: ${adapter.info.description || adapter.info.vendor}`)
    const device = await adapter.requestDevice()
    const [rows, columns] = [random.int(3, 40), random.int(65, 300)]
    // Quarters of small whole numbers, whose sums are exact in any order.
    const x = Float32Array.from(random.ints(rows * columns, [-40, 40]), value => value / 4)
    const sums = await rowSums(device, x, rows)
    const expected = sums.map((_, row) => x.subarray(row * columns, (row + 1) * columns).reduce((a, b) => a + b, 0))
    assert.equal(sums, expected)
    assert.ok(new Set(sums).size > 1)
    device.destroy()
  })

test('archives that are not what they seem are refused', () => {
  const header = (name: string, kind: string, size = 0) => {
    const bytes = new Uint8Array(512 + Math.ceil(size / 512) * 512)
    const put = (text: string, at: number) => bytes.set(new TextEncoder().encode(text), at)
    put(name, 0)
    put('0000644', 100)
    put(size.toString(8).padStart(11, '0'), 124)
    put(kind, 156)
    put('x'.repeat(size), 512)
    return bytes
  }
  const tar = Buffer.concat([
    header('folder/', '5'),
    header('folder/a', '0', 513),
    header('b', '0', 2),
    Buffer.alloc(1024)
  ])
  const files = filesOfTar(tar)
  assert.equal(
    files.map(({ name, mode, bytes }) => [name, mode, Buffer.from(bytes).toString()]),
    [
      ['folder/a', 0o644, 'x'.repeat(513)],
      ['b', 0o644, 'xx']
    ]
  )
  assert.throws(() => filesOfTar(header('../a', '0')), /leads out/)
  assert.throws(() => filesOfTar(header('a', '2')), /kind 2/)
})

test.run()
