// How many rows share a run: what has taken a row the least time.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Share } from '../../cli/serving/pool/share.js'
import { baseSeed, Random } from '../support/random.js'

const test = suite(`serving: share (seed ${baseSeed})`)
const random = new Random('share')

/** Sizes of many runs of which a row takes as long as `cost` says. */
function sizesOf(most: number, cost: (rows: number) => number, share = new Share()): number[] {
  return Array.from({ length: 400 }, () => {
    const rows = share.next(most)
    share.took(rows, rows * cost(rows) * random.uniform(0.9, 1.1))
    return rows
  })
}

const countOf = (sizes: readonly number[], wanted: number) => sizes.filter(size => size === wanted).length

test('the size that pays is taken, and others are tried now and then', () => {
  const fewer = sizesOf(8, rows => 1 + 4 / rows)
  assert.ok(countOf(fewer, 8) > 350)
  const alone = sizesOf(8, rows => 1 + rows / 4)
  assert.ok(countOf(alone, 1) > 350)
  const middle = sizesOf(16, rows => Math.abs(Math.log2(rows) - 2) + 1)
  assert.ok(countOf(middle, 4) > 350)
  // What takes as long either way is not worth waiting for.
  const same = sizesOf(8, () => 1)
  assert.ok(countOf(same, 1) > 300)
  for (const sizes of [fewer, alone, middle, same]) assert.ok(new Set(sizes).size > 1)
})

test('it is never more than there are, and follows what changes', () => {
  const share = new Share()
  for (const most of [0.5, 1, 1.9, 2, 3, 7.9, 8]) assert.ok(share.next(most) <= Math.max(1, most))
  sizesOf(8, rows => 1 + 4 / rows, share)
  const later = sizesOf(8, rows => 1 + rows, share)
  assert.ok(countOf(later.slice(-200), 1) > 150, `${later}`)
})

test.run()
