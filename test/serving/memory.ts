// Memory that the server uses again and again: of bodies, and what it shares with its threads.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Slabs } from '../../cli/serving/http/slabs.js'
import { Pool } from '../../cli/serving/pool/index.js'
import { compile } from '../../compiler/index.js'
import { baseSeed, Random } from '../support/random.js'
import { expected, floats, smallModel } from '../support/serving.js'

const test = suite(`serving: memory (seed ${baseSeed})`)
const random = new Random('memory')

test('no slab is given to two, none is too short, and a share of them is kept', () => {
  const slabs = new Slabs()
  const out = new Map<Uint8Array, number>()
  const seen = new Set<Uint8Array>()
  let [again, refused] = [0, 0]
  for (let step = 0; step < 3000; step++) {
    const held = [...out.keys()]
    if (held.length && random.uniform(0, 1) < 0.5) {
      const slab = random.pick(held)
      assert.is(slab[0], out.get(slab))
      out.delete(slab)
      slabs.give(slab)
      continue
    }
    const bytes = random.int(2 ** 15, 2 ** random.int(16, 22))
    const slab = slabs.take(bytes)
    if (!slab) {
      refused++
      continue
    }
    assert.ok(slab.length >= bytes && !out.has(slab))
    if (seen.has(slab)) again++
    seen.add(slab)
    slab[0] = random.int(0, 255)
    out.set(slab, slab[0])
    const sum = [...out.keys()].reduce((bytes, { length }) => bytes + length, 0)
    assert.ok(sum <= 2 ** 27, `${sum} bytes are out`)
  }
  assert.ok(again > 100, `${again} were used again, ${refused} refused`)
  for (const bytes of [0, 2 ** 15 - 1, 2 ** 22 + 1, Number.NaN]) assert.is(slabs.take(bytes), undefined)
})

test('a thread reads the memory that it was given last, also where that grows or is handed over', async () => {
  const model = smallModel(random)
  const pool = new Pool(1)
  const opened = await pool.open(await compile(model), { limits: {}, pictures: {}, probe: false })
  for (const rows of [2, 40, 1, 11_000, 3, 41, 40]) {
    const dims = [rows, 3, 8, 8]
    const x = floats(random, rows * 192)
    const member = pool.idle()!
    const memory = member.room(x.byteLength)
    new Float32Array(memory, 0, x.length).set(x)
    const feeds = { x: { type: 'float32', dims, at: 0, bytes: x.byteLength } } as const
    const { tensors } = await member.run(pool.job(), opened.model, { kind: 'tensors', memory, feeds })
    assert.equal(new Float32Array(tensors!.y.data), await expected(model, x, dims), `${rows} rows`)
  }
  await pool.end()
})

test.run()
