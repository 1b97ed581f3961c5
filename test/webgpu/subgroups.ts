// What a workgroup joins: by subgroups where the device has them, by halves where not, and the same either way.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compile } from '../../compiler/index.js'
import { InferenceSession, Tensor } from '../../runtime/index.js'
import { gpu, withoutGpu } from '../support/gpu.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { baseSeed, Random } from '../support/random.js'
import { skip } from '../support/skip.js'

const test = suite(`subgroups (seed ${baseSeed})`)
const random = new Random('subgroups')
const length = 400

/** Sums, largest, smallest and products of a long row, its softmax, and a product of one row with a matrix. */
function network(): Uint8Array {
  const m = new ModelBuilder(random, 13)
  const x = m.input([1, length], 'float32', [0.9, 1.1], 'x')
  for (const op of ['ReduceMax', 'ReduceMin', 'ReduceProd', 'ReduceL2']) m.output(m.add(op, [x], { axes: [1] }))
  m.output(m.add('Softmax', [x]))
  m.output(m.add('Gemm', [x, m.weights([length, 12]), m.weights([12])]))
  return m.encode()
}

async function checkOn(device: GPUDevice): Promise<void> {
  const file = await compile(network())
  const input = new Tensor('float32', Float32Array.from(random.values(length, [0.9, 1.1])), [1, length])
  const [own, wanted] = await Promise.all(
    [{ name: 'webgpu', device }, 'wasm'].map(async provider => {
      const session = await InferenceSession.create(file, { executionProviders: [provider as 'wasm'] })
      const results = await session.run({ x: input })
      await session.release()
      return session.outputNames.map(name => results[name].data as Float32Array)
    })
  )
  own.forEach((data, output) => {
    const largest = Math.max(...wanted[output].map(Math.abs))
    data.forEach((value, i) =>
      assert.ok(Math.abs(value - wanted[output][i]) <= 1e-4 * largest, `${output}: ${value}, ${wanted[output][i]}`)
    )
  })
}

const reason = await withoutGpu()
for (const feature of ['subgroups', undefined] as const) {
  const name = feature ? 'joined by subgroups' : 'joined by halves'
  const adapter = reason ? undefined : (await (await gpu()).requestAdapter())!
  const missing = feature && adapter && !adapter.features.has(feature)
  if (reason || missing) skip(name, reason ?? 'this adapter has no subgroups')
  else
    test(name, async () => {
      const device = await adapter!.requestDevice({ requiredFeatures: feature ? [feature] : [] })
      await checkOn(device)
      device.destroy()
    })
}

test.run()
