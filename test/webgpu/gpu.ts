// WebGPU in Node: that there is an adapter, and that it computes.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { rowSums } from '../support/browser/scripts/row-sums.js'
import { gpu, withoutGpu } from '../support/gpu.js'
import { baseSeed, Random } from '../support/random.js'
import { skip } from '../support/skip.js'

const test = suite(`gpu (seed ${baseSeed})`)
const random = new Random('gpu')

const reason = await withoutGpu()
if (reason) skip('a compute shader in Node', reason)
else
  test('a compute shader in Node', async () => {
    const adapter = (await (await gpu()).requestAdapter())!
    console.log(`adapter: ${adapter.info.description || adapter.info.vendor}`)
    const [rows, columns] = [random.int(3, 40), random.int(65, 300)]
    // Quarters of small whole numbers, whose sums are exact in any order.
    const x = Float32Array.from(random.ints(rows * columns, [-40, 40]), value => value / 4)
    const sums = await rowSums(await gpu(), x, rows)
    const expected = sums.map((_, row) => x.subarray(row * columns, (row + 1) * columns).reduce((a, b) => a + b, 0))
    assert.equal(sums, expected)
    assert.ok(new Set(sums).size > 1)
  })

test.run()
