import { median } from '../../cli/measure/index.js'

/** What a device reaches on kernels that do nothing else, in this process and now. Shares refer to these. */
export interface Limits {
  /** Gigaflops a second of fused multiply-adds on registers, by precision; none where the adapter lacks it. */
  readonly f32: number
  readonly f16: number | undefined
  /** Gigabytes a second of a copy from buffer to buffer; bytes read and bytes written are both counted. */
  readonly bandwidth: number
}

/** Eight independent chains of vectors, so that no addition waits for the one before; the results are stored, so that none is left out. */
const multiplyAdd = (element: 'f32' | 'f16') => `
${element === 'f16' ? 'enable f16;' : ''}
@group(0) @binding(0) var<storage, read> factors: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> results: array<vec4f>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let a = vec4<${element}>(factors[0]);
  let b = vec4<${element}>(factors[1]);
  var s0 = a * ${element}(id.x & 7);
${[1, 2, 3, 4, 5, 6, 7].map(i => `  var s${i} = s0 + ${element}(${i});`).join('\n')}
  for (var i = 0u; i < ${trips}u; i++) {
${[0, 1, 2, 3, 4, 5, 6, 7].map(i => `    s${i} = fma(s${i}, a, b);`).join('\n')}
  }
  results[id.x & 1023] = vec4f(s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7);
}`

const trips = 2048
/** Of an invocation: each of the eight chains has four lanes. */
const flopsPerInvocation = trips * 8 * 4 * 2

const copy = `
override STEP: u32;
@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> copied: array<vec4f>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u) {
${[0, 1, 2, 3].map(i => `  copied[id.x + ${i}u * STEP] = source[id.x + ${i}u * STEP];`).join('\n')}
}`

/** More than the caches of any GPU hold; an imitation on the CPU is given less. */
const copiedBytes = 256 * 2 ** 20
const copiedBytesByImitation = 64 * 2 ** 20

/** A measurement takes so many milliseconds at least, so that submitting and waiting do not count; and is made a few times. */
const longEnough = 30
const times = 5
const mostWorkgroups = 65_535

export async function measureLimits(gpu: GPU): Promise<Limits> {
  const adapter = (await gpu.requestAdapter({ powerPreference: 'high-performance' }))!
  const halves = adapter.features.has('shader-f16')
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits
  const device = await adapter.requestDevice({
    requiredFeatures: halves ? ['shader-f16'] : [],
    requiredLimits: { maxBufferSize, maxStorageBufferBindingSize }
  })
  const wanted = adapter.info.isFallbackAdapter ? copiedBytesByImitation : copiedBytes
  try {
    return {
      f32: await multiplyAddRate(device, 'f32'),
      f16: halves ? await multiplyAddRate(device, 'f16') : undefined,
      bandwidth: await bandwidth(device, Math.min(wanted, maxStorageBufferBindingSize))
    }
  } finally {
    device.destroy()
  }
}

async function multiplyAddRate(device: GPUDevice, element: 'f32' | 'f16'): Promise<number> {
  const [factors, results] = [bufferOf(device, 32), bufferOf(device, 1024 * 16)]
  // Near one and near zero: neither overflow nor numbers that are too small slow it down.
  device.queue.writeBuffer(factors, 0, Float32Array.from([0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25]))
  const run = await runnerOf(device, multiplyAdd(element), [factors, results])
  let groups = 4
  while (groups < mostWorkgroups && (await run(groups)) < longEnough) groups = Math.min(groups * 2, mostWorkgroups)
  const milliseconds = await medianOf(() => run(groups))
  return (groups * 256 * flopsPerInvocation) / milliseconds / 1e6
}

async function bandwidth(device: GPUDevice, size: number): Promise<number> {
  const groups = Math.floor(size / 16 / 4 / 256)
  const bytes = groups * 256 * 4 * 16
  const buffers = [bufferOf(device, bytes), bufferOf(device, bytes)]
  const run = await runnerOf(device, copy, buffers, { STEP: groups * 256 })
  let repeats = 1
  while (repeats < 256 && (await run(groups, repeats)) < longEnough) repeats *= 2
  const milliseconds = await medianOf(() => run(groups, repeats))
  for (const buffer of buffers) buffer.destroy()
  return (2 * bytes * repeats) / milliseconds / 1e6
}

function bufferOf(device: GPUDevice, size: number): GPUBuffer {
  return device.createBuffer({ size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST })
}

/** Milliseconds until so many workgroups are done, that often one behind the other. */
async function runnerOf(
  device: GPUDevice,
  code: string,
  buffers: readonly GPUBuffer[],
  constants?: Record<string, number>
): Promise<(groups: number, repeats?: number) => Promise<number>> {
  const module = device.createShaderModule({ code })
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module, constants } })
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }))
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries })
  return async (groups, repeats = 1) => {
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    pass.setPipeline(pipeline)
    pass.setBindGroup(0, group)
    for (let i = 0; i < repeats; i++) pass.dispatchWorkgroups(groups)
    pass.end()
    const commands = encoder.finish()
    const began = performance.now()
    device.queue.submit([commands])
    await device.queue.onSubmittedWorkDone()
    return performance.now() - began
  }
}

async function medianOf(measure: () => Promise<number>): Promise<number> {
  const milliseconds: number[] = []
  for (let i = 0; i < times; i++) milliseconds.push(await measure())
  return median(milliseconds)
}
