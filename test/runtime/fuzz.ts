// Spoilt files, the same in every run, so that what fails is the change's doing: each is refused in one line, or runs and is
// right. CAIRN_FUZZ_SEED gives others, and `npm run fuzz` any number of fresh ones.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { campaign, keep } from '../fuzz/campaign.js'
import type { Kind } from '../fuzz/seeds.js'

const seed = Number(process.env.CAIRN_FUZZ_SEED ?? 1)
const test = suite(`fuzz (seed ${seed})`)

const files: Readonly<Record<Kind, number>> = { onnx: 600, cairn: 600, patch: 100 }

for (const [kind, count] of Object.entries(files) as [Kind, number][])
  test(`${count} spoilt files of the kind ${kind}`, async () => {
    const { tried, failures } = await campaign({ kind, seed, files: count })
    const counts = Object.entries(tried).map(([what, times]) => `${what} ${times}`)
    console.log(`${kind}: ${counts.join(', ')}`)
    for (const failure of failures) console.log(await keep(failure, seed))
    assert.is(failures.length, 0, 'files that failed are listed above')
    assert.is(
      Object.values(tried).reduce((a, b) => a + b, 0),
      count
    )
    // A fuzzer whose files are all refused for the first byte would find nothing.
    const ran = Object.entries(tried).filter(([what]) => !what.startsWith('refused'))
    assert.ok(ran.reduce((sum, [, times]) => sum + times, 0) > count / 100, 'next to no file was taken')
  })

test.run()
