// The algebra of symbolic dimensions against plain arithmetic.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { greatest, least } from '../../compiler/algebra/bounds.js'
import {
  ceilDiv,
  div,
  equal,
  freeNamesOf,
  isStatic,
  less,
  max,
  min,
  product,
  quotient,
  same,
  show,
  where
} from '../../compiler/algebra/dim.js'
import { add, free, mul, sub } from '../../compiler/algebra/terms.js'
import { type Bindings, type Dim, evaluate } from '../../runtime/file/dims.js'
import { baseSeed, Random } from '../support/random.js'

const test = suite(`dims (seed ${baseSeed})`)
const names = ['N', 'H', 'W']

/** An expression, and the number that it must be. */
interface Expression {
  readonly dim: Dim
  readonly value: (bindings: Bindings) => number
}

function expression(random: Random, depth: number): Expression {
  if (depth === 0 || random.chance(0.2)) {
    if (random.chance(0.5)) {
      const name = random.pick(names)
      return { dim: free(name), value: b => b[name] }
    }
    const number = random.int(-4, 9)
    return { dim: number, value: () => number }
  }
  const [a, b] = [expression(random, depth - 1), expression(random, depth - 1)]
  const positive = random.int(1, 7)
  switch (random.int(0, 9)) {
    case 0:
      return { dim: add(a.dim, b.dim), value: v => a.value(v) + b.value(v) }
    case 1:
      return { dim: sub(a.dim, b.dim), value: v => a.value(v) - b.value(v) }
    case 2:
      return { dim: mul(a.dim, b.dim), value: v => a.value(v) * b.value(v) }
    case 3:
      return { dim: div(a.dim, positive), value: v => Math.floor(a.value(v) / positive) }
    case 4:
      return { dim: ceilDiv(a.dim, positive), value: v => Math.ceil(a.value(v) / positive) + 0 }
    case 5:
      return { dim: min(a.dim, b.dim), value: v => Math.min(a.value(v), b.value(v)) }
    case 6:
      return { dim: max(a.dim, b.dim), value: v => Math.max(a.value(v), b.value(v)) }
    case 7:
      return { dim: quotient(a.dim, positive), value: v => Math.trunc(a.value(v) / positive) }
    case 8:
      return { dim: where(less(a.dim, b.dim), a.dim, 3), value: v => (a.value(v) < b.value(v) ? a.value(v) : 3) }
    default:
      return { dim: equal(a.dim, b.dim), value: v => Number(a.value(v) === b.value(v)) }
  }
}

const bindingsOf = (random: Random): Bindings => Object.fromEntries(names.map(name => [name, random.int(0, 40)]))

test('expressions have the value of the arithmetic that they stand for', () => {
  const random = new Random('expressions')
  for (let i = 0; i < 3000; i++) {
    const { dim, value } = expression(random, random.int(1, 4))
    for (let j = 0; j < 4; j++) {
      const bindings = bindingsOf(random)
      assert.is(evaluate(dim, bindings) + 0, value(bindings) + 0, `${show(dim)} for ${JSON.stringify(bindings)}`)
    }
  }
})

test('bounds hold', () => {
  const random = new Random('bounds')
  for (let i = 0; i < 2000; i++) {
    const { dim } = expression(random, random.int(1, 4))
    const [low, high] = [least(dim), greatest(dim)]
    for (let j = 0; j < 4; j++) {
      const bindings = bindingsOf(random)
      const value = evaluate(dim, bindings)
      assert.ok(low <= value && value <= high, `${low} ≤ ${show(dim)} ≤ ${high} for ${JSON.stringify(bindings)}`)
    }
  }
})

test('what padding to a multiple and remainders take is known to be no less than nothing', () => {
  const H = free('H')
  assert.is(least(sub(mul(ceilDiv(H, 8), 8), H)), 0)
  assert.is(greatest(sub(mul(ceilDiv(H, 8), 8), H)), 7)
  assert.is(least(sub(H, mul(div(H, 4), 4))), 0)
  assert.is(least(sub(H, min(H, 4))), 0)
  assert.is(least(add(div(sub(H, 1), 2), 1)), 0)
})

test('names that look like arithmetic stay apart from it', () => {
  assert.not(same(free('H+1'), add(free('H'), 1)))
  assert.is(show(free('H+1')), '"H+1"')
  assert.is(show(free('batch_size')), 'batch_size')
})

test('equal text means equal value, and sums and products have one text', () => {
  const random = new Random('canonical')
  for (let i = 0; i < 1000; i++) {
    const [a, b, c] = [0, 1, 2].map(() => expression(random, 2).dim)
    assert.ok(same(add(a, b, c), add(c, add(b, a))), show(a))
    assert.ok(same(mul(a, b, c), mul(c, mul(a, b))), show(a))
    assert.ok(same(mul(a, add(b, c)), add(mul(a, b), mul(a, c))), 'distributes')
    assert.is(sub(a, a), 0)
    assert.ok(same(sub(add(a, b), b), a))
    const [left, right] = [expression(random, 2), expression(random, 2)]
    if (!same(left.dim, right.dim)) continue
    const bindings = bindingsOf(random)
    assert.is(evaluate(left.dim, bindings), evaluate(right.dim, bindings))
  }
})

test('division by a factor is exact', () => {
  const [N, H] = [free('N'), free('H')]
  assert.ok(same(div(mul(N, H, 12), mul(H, 4)), mul(N, 3)))
  assert.ok(same(div(mul(N, 6), N), 6))
  assert.ok(same(div(add(mul(N, 4), 8), 4), add(N, 2)))
  assert.is(div(7, 2), 3)
  assert.is(div(-7, 2), -4)
  assert.is(div(H, H), 1)
})

test('numbers stay numbers', () => {
  for (const dim of [add(2, 3), mul(2, 3), div(7, 2), min(2, 3), max(2, 3), quotient(-7, 2), product([2, 3, 4])])
    assert.type(dim, 'number')
  assert.is(product([]), 1)
  assert.ok(isStatic([1, 2]))
  assert.not(isStatic([1, free('N')]))
})

test('free names are found at any depth, and a missing one is an error', () => {
  const dim = max(div(add(free('H'), 3), 2), where(less(free('N'), 3), free('W'), 2))
  assert.equal([...freeNamesOf(dim)].sort(), ['H', 'N', 'W'])
  assert.throws(() => evaluate(dim, { H: 1, N: 2 }), /free dimension W has no value/)
})

test.run()
