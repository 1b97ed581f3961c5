// `npm run bench:browser`: every runtime computes the same in one page, LiteRT.js from files written here. Never how long it took.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { filesOf } from '../../bench/browser/files.js'
import { entriesOf, Tabs } from '../../bench/browser/tab.js'
import { withoutChromium } from '../support/browser/chromium.js'

const test = suite('benchmark in a browser')
const reason = await withoutChromium()
let tabs: Tabs

if (reason) console.log(`skipped: ${reason}`)
else {
  test.before(async () => {
    tabs = await Tabs.open()
  })
  test.after(() => tabs.close())

  for (const [name, threads] of [
    ['mobilenet-v3-small', 1],
    ['squeezenet1.1', 2]
  ] as const)
    test(`${name} on ${threads} threads, in floats and in bytes`, async () => {
      const files = await filesOf(name, ['float32', 'int8'])
      const { feeds, entries } = entriesOf(tabs, files)
      // Inputs are drawn anew, and now and then bytes are further apart than a benchmark takes.
      const patient = entries.map(entry => ({ ...entry, tolerance: Math.max(entry.tolerance, 0.2) }))
      const results = await tabs.measure({ threads, seconds: 0, feeds, entries: patient })
      assert.equal(
        results.map(({ engine, numbers, refusal }) => [engine, numbers, refusal]),
        [
          ...(['cairn', 'ort-web', 'tfjs', 'litert'] as const).map(engine => [engine, 'float32', undefined]),
          ...(['cairn', 'ort-web', 'litert'] as const).map(engine => [engine, 'int8', undefined])
        ]
      )
      for (const { numbers, error, times, partly } of results) {
        assert.ok(numbers === 'int8' || error! < 1e-3)
        assert.ok(times && times.length >= 5 && times.every(time => time > 0))
        assert.not(partly)
      }
    })

  test('what no file can be written of is refused by name', async () => {
    const { files } = await filesOf('shufflenet-v2', ['float32'])
    const { bytes } = files.find(({ engine }) => engine === 'litert')!
    assert.type(bytes, 'string')
    assert.match(bytes as string, /^no \.tflite is written of /)
  })
}

test.run()
