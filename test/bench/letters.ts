// What a recogniser reads is letters once each, and the edit distance counts what mends them.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { editDistance, readText } from '../../bench/int8/letters.js'
import { baseSeed, Random } from '../support/random.js'

const test = suite(`letters (seed ${baseSeed})`)

test('repeated letters are read once, blanks not at all, and blanks part doubles', () => {
  const rows = [1, 1, 0, 1, 2, 0, 0, 3].map(best => [0, 1, 2, 3].map(c => (c === best ? 0.7 : 0.1)))
  const { text, score } = readText(Float32Array.from(rows.flat()), 4, ['a', 'b'])
  assert.is(text, 'aab ')
  assert.ok(Math.abs(score - 0.7) < 1e-6)
})

/** By its definition. */
function slowDistance(a: string, b: string): number {
  if (!a || !b) return a.length + b.length
  return Math.min(
    slowDistance(a.slice(1), b) + 1,
    slowDistance(a, b.slice(1)) + 1,
    slowDistance(a.slice(1), b.slice(1)) + Number(a[0] !== b[0])
  )
}

test('the edit distance is what its definition says', () => {
  const random = new Random('distance')
  const word = () => Array.from({ length: random.int(0, 6) }, () => random.pick(['a', 'b', 'c'])).join('')
  assert.is(editDistance('kitten', 'sitting'), 3)
  for (let i = 0; i < 50; i++) {
    const [a, b] = [word(), word()]
    assert.is(editDistance(a, b), slowDistance(a, b), `${a} ${b}`)
  }
})

test.run()
