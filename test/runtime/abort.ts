// Signals while a model is downloaded, loaded and run, and releases at the wrong moment: each ends with a clear error, none
// with a hang, and what is not meant goes on.
import { setTimeout as pause } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { InferenceSession, type SessionOptions, type Tensor } from '../../runtime/index.js'
import { compileModel, presentBackends, tensorsOf } from '../support/cairn.js'
import { manyKernels } from '../support/cases/many-kernels.js'
import { sameBits } from '../support/compare.js'
import { randomFeeds } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'

const test = suite(`abort (seed ${baseSeed})`)
const random = new Random('abort')
const model = manyKernels(random)
const file = compileModel(model.encode())
const feedsOf = () => tensorsOf(randomFeeds(model.inputs, random, { N: 1, H: 12, W: 14 }))

const everywhere: readonly { readonly what: string; readonly options: SessionOptions }[] = [
  ...(await presentBackends()).map(name => ({ what: name, options: { executionProviders: [name] } })),
  { what: 'three threads', options: { numThreads: 3 } }
]

/** Ends as a promise whose signal was given does. */
async function aborts(work: Promise<unknown>): Promise<void> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason as Error
  )
  assert.is(error?.name, 'AbortError')
}

const firstOf = (results: Readonly<Record<string, Tensor>>) => results[model.outputs[0]].data

/** A body that gives a piece and then nothing, until it is cancelled. */
function stalled(): { response: Response; cancelled: Promise<unknown> } {
  let cancel: (reason: unknown) => void
  const cancelled = new Promise(resolve => (cancel = resolve))
  const body = new ReadableStream({ start: each => each.enqueue(file.slice(0, 40)), cancel: reason => cancel(reason) })
  return { response: new Response(body), cancelled }
}

for (const { what, options } of everywhere) {
  test(`a download that stalls can be given up, ${what}`, async () => {
    const { response, cancelled } = stalled()
    const { signal, abort } = controller()
    const created = InferenceSession.create(response, { ...options, signal })
    setTimeout(abort, 5)
    await aborts(created)
    await cancelled
  })

  test(`a load that is under way can be given up, ${what}`, async () => {
    for (const turns of [0, 1, 2, 4]) {
      const { signal, abort } = controller()
      const created = InferenceSession.create(file, { ...options, signal })
      for (let i = 0; i < turns; i++) await undefined
      abort()
      await aborts(created)
    }
    const session = await InferenceSession.create(file, options)
    assert.equal(Object.keys(await session.run(feedsOf())), model.outputs)
    await session.release()
  })

  test(`runs that wait and a run under way can be given up, others not, ${what}`, async () => {
    const session = await InferenceSession.create(file, options)
    const feeds = [feedsOf(), feedsOf(), feedsOf()]
    const expected = []
    for (const each of feeds) expected.push(firstOf(await session.run(each)))
    await aborts(session.run(feeds[0], { signal: AbortSignal.abort() }))
    for (let round = 0; round < 3; round++) {
      const [running, waiting, unused] = [controller(), controller(), controller()]
      // So long that the run takes its first breath at its first call.
      await pause(45)
      const runs = [
        session.run(feeds[0], { signal: running.signal }),
        session.run(feeds[1]),
        session.run(feeds[1], undefined, { signal: waiting.signal }),
        session.run(feeds[2], model.outputs, { signal: unused.signal })
      ]
      setTimeout(running.abort, round)
      waiting.abort()
      await aborts(runs[2])
      // It may have been quicker than the signal.
      if ((await Promise.allSettled(runs))[0].status === 'rejected') await aborts(runs[0])
      assert.ok(sameBits(firstOf(await runs[1]), expected[1]))
      assert.ok(sameBits(firstOf(await runs[3]), expected[2]))
    }
    await session.release()
  })

  test(`released during a run, twice, and run afterwards, ${what}`, async () => {
    const session = await InferenceSession.create(file, options)
    const feeds = feedsOf()
    const expected = firstOf(await session.run(feeds))
    const { signal, abort } = controller()
    const [whole, ended] = [session.run(feeds), session.run(feeds, { signal })]
    const releases = [session.release(), session.release()]
    const late = session.run(feeds)
    abort()
    await aborts(ended)
    await rejects(() => late, /released/)
    await Promise.all(releases)
    assert.ok(sameBits(firstOf(await whole), expected))
    await rejects(() => session.run(feeds), /released/)
    await rejects(() => session.verify(), /golden|released/)
    await session.release()
  })
}

for (const numThreads of [1, 3])
  test(`the CPU path ends behind the call that is under way, ${numThreads} threads`, async () => {
    const session = await InferenceSession.create(file, { numThreads })
    const feeds = feedsOf()
    const expected = firstOf(await session.run(feeds))
    const { bound } = (session as unknown as { executor: { bound: Bound } }).executor
    let made = 0
    for (const call of bound.calls) {
      const { kernel } = call
      call.kernel = (...given) => {
        made++
        kernel(...given)
      }
    }
    const { signal, abort } = controller()
    await pause(45)
    const run = session.run(feeds, { signal })
    setTimeout(abort)
    await aborts(run)
    await session.run(feeds)
    assert.ok(made > bound.calls.length && made < 2 * bound.calls.length, `${made} calls of ${bound.calls.length}`)
    assert.ok(sameBits(firstOf(await session.run(feeds)), expected))
    await session.release()
  })

interface Bound {
  readonly calls: { kernel: (...given: number[]) => void }[]
}

function controller(): { signal: AbortSignal; abort: () => void } {
  const made = new AbortController()
  return { signal: made.signal, abort: () => made.abort() }
}

test.run()
