// Explanations on WebGPU: what the CPU path gives, of gradients and of maps.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { explain, FeatureMaps } from '../../explain/index.js'
import { env, Tensor } from '../../runtime/index.js'
import { lease } from '../../runtime/webgpu/device/device.js'
import { channels, side, tellingNet } from '../support/explain/plain-net.js'
import { gpu, withoutGpu } from '../support/gpu.js'
import { baseSeed, Random } from '../support/random.js'
import { skip } from '../support/skip.js'

const test = suite(`explain on webgpu (seed ${baseSeed})`)
const random = new Random('explain on webgpu')
const { net, elements } = tellingNet(random)
const model = net.onnx(1)
const dims = [1, channels, side, side]
const input = new Tensor('float32', elements, dims)

function near(made: ArrayLike<number>, wanted: ArrayLike<number>, limit = 1e-4): void {
  const scale = Math.max(...Array.from(wanted, Math.abs))
  assert.ok(scale > 0)
  Array.from(wanted).forEach((value, i) => {
    assert.ok(Math.abs(made[i] - value) <= limit * scale, `element ${i} is ${made[i]}, not ${value}`)
  })
}

const reason = await withoutGpu()
if (reason !== undefined) skip('explanations on WebGPU', reason)
else {
  env.webgpu.gpu = await gpu()
  // One device, whose pipelines all explanations share.
  await lease()

  test('gradients by the input, by a layer, and through rectifiers that are told what to let through', async () => {
    for (const method of ['gradcam', 'guided'] as const) {
      const onGpu = await explain(model, input, { method, device: 'webgpu' })
      const onCpu = await explain(model, input, { method })
      assert.is(onGpu.class, onCpu.class, method)
      near(onGpu.attribution.data, onCpu.attribution.data)
    }
  })

  test('maps of layers', async () => {
    const [onGpu, onCpu] = await Promise.all(
      ['webgpu', 'wasm'].map(async device => {
        const maps = await FeatureMaps.create(model, dims, { device })
        const found = await maps.run(input)
        await maps.release()
        return found
      })
    )
    for (const [i, { data }] of onCpu.entries()) near(onGpu[i].data, data)
  })
}
test.run()
