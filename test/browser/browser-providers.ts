// Providers in places of Chromium that forbid something: service workers, which may not import() later, and pages whose
// policy lets no WebAssembly be compiled, or whose server has none.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type * as Cairn from '../../runtime/index.js'
import { InferenceSession } from '../../runtime/index.js'
import { openPage } from '../support/browser/chromium.js'
import { missingInPage, runtime } from '../support/browser/page.js'
import { Site } from '../support/browser/serve.js'
import { compileModel, tensorsOf } from '../support/cairn.js'
import { errorOf, tolerance } from '../support/compare.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { randomFeeds } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { root } from '../support/root.js'
import { skip } from '../support/skip.js'

const test = suite(`browser, providers (seed ${baseSeed})`)
const random = new Random('browser-providers')
const model = new ModelBuilder(random)
const pooled = model.add('MaxPool', [model.input([1, 2, 6, 6])], { kernel_shape: [3, 3] })
model.output(model.add('Sigmoid', [pooled]))
const file = compileModel(model.encode())
const feeds = randomFeeds(model.inputs, random, {})
const [input] = model.inputs.map(({ name }) => name)
const [output] = model.outputs

interface Job {
  readonly runtime: string
  readonly providers?: readonly string[]
  readonly input: string
  readonly output: string
  readonly data: readonly number[]
  readonly wasmPaths?: string
}

type Done = { readonly device: string; readonly data: readonly number[] } | { readonly error: string }

/** Runs in the page, or as text in a service worker: it may use nothing from around it. */
async function perform(cairn: typeof Cairn, { providers, input, output, data, wasmPaths }: Job): Promise<Done> {
  try {
    cairn.env.wasm.wasmPaths = wasmPaths
    const session = await cairn.InferenceSession.create('/model.cairn', { executionProviders: providers })
    const x = new cairn.Tensor('float32', Float32Array.from(data), [1, 2, 6, 6])
    const { [output]: y } = await session.run({ [input]: x })
    const done = { device: session.device, data: [...(y.data as Float32Array)] }
    await session.release()
    return done
  } catch (error) {
    return { error: String(error) }
  }
}

const worker = (imports: string) => `
  import * as cairn from '${runtime}'
  ${imports}
  const perform = ${perform}
  self.oninstall = () => self.skipWaiting()
  self.onactivate = event => event.waitUntil(clients.claim())
  self.onmessage = async ({ data, ports: [port] }) => port.postMessage(await perform(cairn, data))`

/** Asks a page, or the service worker of that script. */
async function ask(
  headers: Readonly<Record<string, string>>,
  jobs: readonly Partial<Job>[],
  script?: string
): Promise<Done[]> {
  const site = await Site.open({ folders: { '/dist/': `${root}/dist` }, headers })
  const page = `<!doctype html><script type="module" src="/perform.js"></script>`
  site.files.set('/', { type: 'text/html', body: page })
  site.files.set('/favicon.ico', { type: 'image/png', body: '' })
  site.files.set('/model.cairn', { type: 'application/octet-stream', body: file })
  site.files.set('/perform.js', { type: 'text/javascript', body: `globalThis.perform = ${perform}` })
  site.files.set('/service.js', { type: 'text/javascript', body: script ?? '' })
  const opened = await openPage(`${site.origin}/`)
  try {
    const done: Done[] = []
    for (const job of jobs) {
      const whole: Job = { runtime, input, output, data: Array.from(feeds[input].data), ...job }
      done.push(
        script === undefined
          ? await opened.page.evaluate(
              async job =>
                (globalThis as never as { perform(...of: unknown[]): Done }).perform(await import(job.runtime), job),
              whole
            )
          : await opened.page.evaluate(async job => {
              await navigator.serviceWorker.register('/service.js', { type: 'module' })
              const { active } = await navigator.serviceWorker.ready
              return new Promise<Done>(resolve => {
                const { port1, port2 } = new MessageChannel()
                port1.onmessage = ({ data }) => resolve(data)
                active!.postMessage(job, [port2])
              })
            }, whole)
      )
    }
    assert.equal(opened.strangers, [])
    return done
  } finally {
    await opened.page.context().close()
    await site.close()
  }
}

let expected: readonly number[]

/** Each job was done on its device, and is right. */
function assertDevices(done: readonly Done[], devices: readonly string[]): void {
  assert.equal(
    done.map(each => ('error' in each ? each.error : each.device)),
    devices
  )
  for (const each of done as readonly { data: readonly number[] }[]) {
    const numbers = (data: readonly number[]) => ({ dtype: 'float32' as const, dims: [data.length], data })
    const { error, what } = errorOf(numbers(each.data), numbers(expected))
    assert.ok(error <= tolerance, what)
  }
}

test.before(async () => {
  const session = await InferenceSession.create(file)
  expected = Array.from((await session.run(tensorsOf(feeds)))[output].data as Float32Array)
  await session.release()
})

const all = [{ providers: ['webgpu', 'wasm'] }, { providers: ['auto'] }, {}]

test('a service worker, which may not load code later, takes the CPU path', async () => {
  const done = await ask({}, [...all, { providers: ['webgpu'] }], worker(''))
  assertDevices(done.slice(0, 3), ['wasm', 'wasm', 'wasm'])
  assert.match(
    (done[3] as { error: string }).error,
    /\[webgpu\] is available; webgpu: .*import\(\) is disallowed.*cairnjs\/webgpu/
  )
})

const noGpu = await missingInPage('webgpu')
if (noGpu) skip('WebGPU where WebAssembly is forbidden', noGpu)
else {
  test('a service worker that has imported WebGPU from the start has it', async () => {
    const script = worker(`import '/dist/runtime/webgpu/register.js'`)
    assertDevices(await ask({}, [{ providers: ['webgpu', 'wasm'] }, {}], script), ['webgpu', 'wasm'])
  })

  test('a page whose policy forbids WebAssembly takes WebGPU', async () => {
    const policy = { 'content-security-policy': "default-src 'self'; script-src 'self'" }
    const done = await ask(policy, [...all, { providers: ['wasm', 'webgpu'] }, { providers: ['wasm'] }])
    assertDevices(done.slice(0, 4), ['webgpu', 'webgpu', 'webgpu', 'webgpu'])
    assert.match(
      (done[4] as { error: string }).error,
      /wasm: WebAssembly may not be compiled here \(.*Content Security Policy/i
    )
  })

  test('a server without the .wasm files', async () => {
    const jobs = [{}, { providers: ['wasm', 'webgpu'] }, { providers: ['wasm'] }]
    const done = await ask(
      {},
      jobs.map(job => ({ ...job, wasmPaths: '/none/' }))
    )
    assertDevices(done.slice(0, 2), ['webgpu', 'webgpu'])
    assert.match((done[2] as { error: string }).error, /wasm: cannot load \/none\/cairn-relaxed\.wasm: status 404/)
  })
}

const noPage = await missingInPage('wasm')
if (noPage) skip('providers in pages', noPage)
else test.run()
