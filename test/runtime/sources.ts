// Where a session's file may come from: paths, URLs, bodies that arrive in pieces, stall, break off or are too long; and
// that none of them is left open, whatever goes wrong.
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CairnError, env, InferenceSession, ParallelSession } from '../../runtime/index.js'
import { compileModel, numbersOfTensors, tensorsOf } from '../support/cairn.js'
import { assertClose } from '../support/compare.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { randomFeeds } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'

const test = suite(`sources (seed ${baseSeed})`)
const random = new Random('sources')
const model = new ModelBuilder(random)
// Direct, padded, and transformed constants: 18 filters fill no panel, 3x3 filters run as Winograd.
const image = model.input([1, 16, 12, 12])
const first = model.add('Conv', [image, model.weights([18, 16, 3, 3]), model.weights([18])], { pads: [1, 1, 1, 1] })
model.output(model.add('Conv', [model.add('Relu', [first]), model.weights([24, 18, 1, 1]), model.weights([24])]))
const feeds = tensorsOf(randomFeeds(model.inputs, random, {}))
const folder = mkdtempSync(join(tmpdir(), 'cairn-sources-'))

for (const weights of ['f32', 'f16'] as const) {
  const file = compileModel(model.encode(), { weights })
  const path = join(folder, `${weights}.cairn`)
  writeFileSync(path, file)

  test(`${weights}: all give what the bytes give`, async () => {
    const results = async (given: Parameters<typeof InferenceSession.create>[0], numThreads = 1) => {
      const session = await InferenceSession.create(given, { numThreads })
      const found = numbersOfTensors(await session.run(feeds))
      await session.release()
      return found
    }
    const expected = await results(file)
    const pieces = new ReadableStream({
      start(controller) {
        for (let at = 0; at < file.length; ) {
          const length = 1 + Math.floor(random.uniform(0, 5000))
          controller.enqueue(file.slice(at, at + length))
          at += length
        }
        controller.close()
      }
    })
    for (const given of [path, pathToFileURL(path), String(pathToFileURL(path)), new Response(pieces)])
      assertClose(await results(given), expected, 0)
    assertClose(await results(path, 2), expected, 0)
    assertClose(await results(new Response(file.slice()), 2), expected, 0)
  })
}

const path = join(folder, 'f32.cairn')
const file = compileModel(model.encode())

test('progress grows and ends with everything', async () => {
  const seen: [number, number][] = []
  const session = await InferenceSession.create(path, { onProgress: (loaded, total) => seen.push([loaded, total]) })
  await session.release()
  assert.ok(seen.every(([loaded], i) => i === 0 || loaded >= seen[i - 1][0]))
  assert.ok(seen.every(([, total]) => total === file.length))
})

/** A server that answers every request by `respond`. */
async function served(respond: (response: ServerResponse) => void, use: (url: string) => Promise<void>): Promise<void> {
  const server = createServer((_, response) => respond(response))
  await new Promise<void>(resolve => server.listen(0, resolve))
  try {
    await use(`http://localhost:${(server.address() as AddressInfo).port}/m.cairn`)
  } finally {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
}

test('a download that breaks off, lies or stalls', async () => {
  const half = file.subarray(0, file.length >> 1)
  const create = (url: string, signal?: AbortSignal) => InferenceSession.create(url, { signal })
  await served(
    response => response.writeHead(200, { 'content-length': file.length }).write(half, () => response.destroy()),
    url => rejects(() => create(url), /m\.cairn broke off after \d+ of \d+ bytes/)
  )
  await served(
    response => response.writeHead(200).end(half),
    url => rejects(() => create(url), /file ends after \d+ bytes/)
  )
  await served(
    response => response.writeHead(200, { 'content-length': half.length }).end(half),
    url => rejects(() => create(url), /file has \d+ bytes where its header asks for \d+/)
  )
  await served(
    response => response.writeHead(404).end(),
    url => rejects(() => create(url), /cannot fetch .*m\.cairn: status 404/)
  )
  let written = 0
  await served(
    response => {
      response.writeHead(200).write(file)
      const flood = setInterval(() => (written += response.write(file) ? file.length : 0), 1)
      response.on('close', () => clearInterval(flood))
    },
    url => rejects(() => create(url), /file has \d+ bytes where/)
  )
  assert.ok(written < 1000 * file.length)
  await served(
    response => response.writeHead(200).write(half),
    async url => {
      const reason = new Error('enough')
      const signal = AbortSignal.any([AbortSignal.timeout(5000), aborted(200, reason)])
      assert.is(await create(url, signal).catch(error => error), reason)
    }
  )
  await rejects(() => create('http://localhost:1/m.cairn'), /cannot fetch http:\/\/localhost:1\/m\.cairn/)
})

function aborted(milliseconds: number, reason: Error): AbortSignal {
  const controller = new AbortController()
  setTimeout(() => controller.abort(reason), milliseconds)
  return controller.signal
}

test('paths that are none, and responses that are spent', async () => {
  await rejects(() => InferenceSession.create(join(folder, 'none')), /cannot open ".*none": no such file/)
  await rejects(() => InferenceSession.create(folder), /it is not a file/)
  const response = new Response(file.slice())
  await response.arrayBuffer()
  await rejects(() => InferenceSession.create(response), /has been read already/)
})

const open = '/proc/self/fd'
if (existsSync(open))
  test('nothing stays open', async () => {
    const cut = join(folder, 'cut.cairn')
    writeFileSync(cut, file.subarray(0, file.length - 16))
    const attempts: (() => Promise<unknown>)[] = [
      () => InferenceSession.create(path).then(session => session.release()),
      () => InferenceSession.create(cut),
      () => InferenceSession.create(path, { executionProviders: ['nothing'] }),
      () => InferenceSession.create(path, { signal: AbortSignal.abort() }),
      () => ParallelSession.create(path),
      () => ParallelSession.create(cut),
      async () => {
        env.wasm.wasmPaths = join(folder, 'nothing')
        await InferenceSession.create(path)
      }
    ]
    const outcomes: boolean[] = []
    for (const attempt of attempts) {
      const before = readdirSync(open).length
      outcomes.push(
        await attempt().then(
          () => true,
          error => !(error instanceof CairnError || error.name === 'AbortError')
        )
      )
      // What a test before this one has left may close meanwhile.
      assert.ok(readdirSync(open).length <= before, String(attempt))
    }
    env.wasm.wasmPaths = undefined
    assert.equal(outcomes, [true, false, false, false, false, false, false])
  })

test.after(() => rmSync(folder, { recursive: true }))
test.run()
