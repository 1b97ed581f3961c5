// WebGPU in Node: that there is an adapter, and that it computes.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { filesOfTar } from '../compiler/cli/archive.js'
import { rowSums } from './page/row-sums.js'
import { gpu, withoutGpu } from './support/gpu.js'
import { baseSeed, Random } from './support/random.js'
import { skip } from './support/skip.js'

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

test('archives that are not what they seem are refused', () => {
  const header = (name: string, kind: string, size = 0) => {
    const bytes = new Uint8Array(512 + Math.ceil(size / 512) * 512)
    const put = (text: string, at: number) => bytes.set(new TextEncoder().encode(text), at)
    put(name, 0)
    put('0000644', 100)
    put(size.toString(8).padStart(11, '0'), 124)
    put(kind, 156)
    put('x'.repeat(size), 512)
    return bytes
  }
  const tar = Buffer.concat([
    header('folder/', '5'),
    header('folder/a', '0', 513),
    header('b', '0', 2),
    Buffer.alloc(1024)
  ])
  const files = filesOfTar(tar)
  assert.equal(
    files.map(({ name, mode, bytes }) => [name, mode, Buffer.from(bytes).toString()]),
    [
      ['folder/a', 0o644, 'x'.repeat(513)],
      ['b', 0o644, 'xx']
    ]
  )
  assert.throws(() => filesOfTar(header('../a', '0')), /leads out/)
  assert.throws(() => filesOfTar(header('a', '2')), /kind 2/)
})

test.run()
