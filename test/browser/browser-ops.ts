// Every operator case in a page of Chromium against onnxruntime-node. CAIRN_ONLY=text picks cases by name.
import { suite } from 'uvu'
import {
  devices,
  isolation,
  missingInPage,
  numbersOfPlain,
  type PageDevice,
  plainOf,
  runtime,
  TestPage
} from '../support/browser/page.js'
import type { Ran, Report } from '../support/browser/scripts/perform.js'
import { compileModel } from '../support/cairn.js'
import {
  casesOf,
  checkRun,
  type Family,
  families,
  type NamedCase,
  type Prepared,
  prepare
} from '../support/cases/op-cases.js'
import { baseSeed } from '../support/random.js'
import { isTaken } from '../support/share.js'
import { skip } from '../support/skip.js'

/** Cases that travel together: enough to make a trip worth while, few enough for both sides to be busy. */
const batchSize = 48

/** A usual run takes one in so many; on WebGPU, where each compiles shaders, Node runs more of them on the same Dawn. */
const oneIn: Readonly<Record<PageDevice, number>> = { wasm: 2, webgpu: 16 }

type Result = Report['results'][number]

interface Outcome {
  readonly prepared: Prepared
  readonly result: Result
}

/** The outcomes of all cases, each as soon as its batch is back; while a page runs one, the next is prepared here. */
function outcomesOf(cases: readonly NamedCase[], device: PageDevice): Promise<Outcome>[] {
  const open = TestPage.open(isolation)
  let ahead: Promise<unknown> = Promise.resolve()
  let last: Promise<unknown> = open
  const outcomes: Promise<Outcome>[] = []
  for (let from = 0; from < cases.length; from += batchSize) {
    const batch = cases.slice(from, from + batchSize)
    const before = last
    const ready = ahead.then(() => Promise.all(batch.map(prepareFor)))
    const done = ready.then(async models => {
      await before
      const report = await (await open).perform({
        runtime,
        device,
        poison: true,
        models: models.map(({ file, prepared }) => ({ file, feeds: prepared.runs.map(({ feeds }) => plainOf(feeds)) }))
      })
      return models.map(({ prepared }, i) => ({ prepared, result: report.results[i] }))
    })
    // One batch ahead, not all: models and outputs would add up.
    ahead = Promise.all([ready, before])
    last = done
    for (const i of batch.keys()) outcomes.push(done.then(list => list[i]))
  }
  last.then(async () => (await open).close()).catch(() => undefined)
  for (const outcome of outcomes) outcome.catch(() => undefined)
  return outcomes
}

async function prepareFor(each: NamedCase) {
  const prepared = await prepare(each)
  return { prepared, file: new Uint8Array(compileModel(prepared.model, each.item.options)) }
}

function check({ item }: NamedCase, { prepared, result }: Outcome, device: PageDevice): void {
  if ('error' in result) throw new Error(result.error)
  const { outputs, device: used } = result as Ran
  if (used !== device) throw new Error(`ran on ${used}`)
  prepared.runs.forEach(({ expected }, i) => {
    checkRun(item, numbersOfPlain(outputs[i]), expected)
  })
}

const all = (Object.keys(families) as Family[]).flatMap(casesOf)
for (const device of devices) {
  const reason = await missingInPage(device)
  if (reason) {
    skip(`${all.length} operator cases in Chromium on ${device}`, reason)
    continue
  }
  const test = suite(`in Chromium on ${device} (seed ${baseSeed})`)
  const cases = all.filter(({ item, name }, i) => {
    if (!isTaken(i, oneIn[device])) return false
    const without = item.without?.[device]
    if (without) skip(`${name} in Chromium on ${device}`, without)
    return !without
  })
  let outcomes: Promise<Outcome>[] | undefined
  for (const [i, each] of cases.entries())
    test(each.name, async () => {
      outcomes ??= outcomesOf(cases, device)
      const outcome = await outcomes[i]
      delete outcomes[i]
      check(each, outcome, device)
    })
  test.run()
}
