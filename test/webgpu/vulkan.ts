// Machines with Vulkan's loader and no driver that Dawn can use: nothing of what Dawn and the loader say reaches the terminal. The
// loader is SwiftShader's, which stands for the system's; which drivers it has its variables say.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { only } from '../../cli/device/vulkan.js'
import { unpacked } from '../../cli/model/archive.js'
import { compileModel } from '../support/cairn.js'
import { withoutGpu } from '../support/gpu.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { baseSeed, Random } from '../support/random.js'
import { root } from '../support/root.js'
import { skip } from '../support/skip.js'

const test = suite(`vulkan (seed ${baseSeed})`)
const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'cairn-vulkan-'))
test.after(() => rmSync(folder, { recursive: true }))

const m = new ModelBuilder(new Random('vulkan'))
m.output(m.add('Relu', [m.input([1, 3, 8, 8])]))
const [onnx, file] = ['model.onnx', 'model.cairn'].map(name => join(folder, name))
writeFileSync(onnx, m.encode())
writeFileSync(file, compileModel(m.encode()))

const swiftshader = await unpacked('swiftshader', ['swiftshader.tar.br'])
const own = join(swiftshader ?? '', 'vk_swiftshader_icd.json')

/** A driver that the loader cannot load, and says so. */
const broken = join(folder, 'broken_icd.json')
writeFileSync(
  broken,
  JSON.stringify({
    file_format_version: '1.0.0',
    ICD: { library_path: join(folder, 'libvulkan_broken.so'), api_version: '1.1.0' }
  })
)
writeFileSync(join(folder, 'libvulkan_broken.so'), 'no library')

const cli = join(root, 'dist', 'cli', 'index.js')

/** Runs Node where the loader has these drivers; what was not said to be looked for is looked for. */
function withDrivers(files: readonly string[], args: readonly string[]) {
  const { CAIRN_VULKAN_DRIVER: _, XDG_RUNTIME_DIR: __, ...rest } = process.env
  return run(process.execPath, args, { env: { ...rest, ...only(files), LD_LIBRARY_PATH: swiftshader } })
}

const api = (providers: string) => `
import { InferenceSession } from ${JSON.stringify(join(root, 'dist', 'runtime', 'index.js'))}
const session = await InferenceSession.create(${JSON.stringify(file)}, { executionProviders: ${providers} })
console.log(session.device)
await session.release()`

const reason = swiftshader ? await withoutGpu() : 'SwiftShader, which brings a loader, is not installed'
if (reason) skip('Vulkan without a driver', reason)
else {
  for (const [name, files] of [
    ['no driver', [join(folder, 'none.json')]],
    ['a broken driver', [broken]]
  ] as const)
    test(`${name}: nothing on standard error`, async () => {
      const onCpu = await withDrivers(files, [cli, 'run', onnx, '--random', '1', '--json'])
      assert.is(onCpu.stderr, '')
      assert.is(JSON.parse(onCpu.stdout).device, 'wasm')
      const imitated = await withDrivers(files, [cli, 'run', onnx, '--random', '1', '--json', '--device', 'webgpu'])
      assert.is(imitated.stderr, '')
      assert.is(JSON.parse(imitated.stdout).device, 'webgpu')
      for (const providers of [`['webgpu', 'wasm']`, `['auto']`]) {
        const { stdout, stderr } = await withDrivers(files, ['--input-type=module', '-e', api(providers)])
        assert.is(stderr, '')
        assert.is(stdout.trim(), 'wasm')
      }
    })

  test('a driver that works is found beside one that does not', async () => {
    const args = [cli, 'run', onnx, '--random', '1', '--json', '--device', 'webgpu']
    const { stdout, stderr } = await withDrivers([broken, own], args)
    assert.is(stderr, '')
    assert.is(JSON.parse(stdout).device, 'webgpu')
  })
}

test.run()
