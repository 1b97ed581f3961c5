// Sheets of pictures, and tiles of filters and feature maps.
import { PNG } from 'pngjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { contactSheet, filterTile, pngOf, tileOf } from '../../cli/pictures/contact-sheet.js'
import { Random } from '../../runtime/train/random.js'
import { baseSeed } from '../support/random.js'

const test = suite(`contact-sheet (seed ${baseSeed})`)
const random = new Random(baseSeed)

const list = <T>(length: number, make: (index: number) => T) => Array.from({ length }, (_, i) => make(i))

test('a contact sheet has each picture in its cell on white, and its PNG the same pixels', () => {
  const colours = list(5, () => list(3, () => random.whole(255)))
  const pictures = colours.map((colour, i) => {
    const channels = i === 2 ? 4 : 3
    const [width, height] = i === 4 ? [2, 2] : [6, 4]
    const data = Uint8Array.from({ length: width * height * channels }, (_, at) => [...colour, 9][at % channels])
    return { data, width, height }
  })
  const sheet = contactSheet(pictures, 3, 2)
  assert.equal([sheet.width, sheet.height, sheet.data.length], [3 * 8 + 2, 2 * 6 + 2, 26 * 14 * 3])
  const at = (x: number, y: number) => [...sheet.data.subarray((y * 26 + x) * 3, (y * 26 + x) * 3 + 3)]
  ;[
    [2, 2],
    [10, 2],
    [18, 2],
    [2, 8],
    [12, 9]
  ].forEach(([x, y], i) => assert.equal(at(x, y), colours[i], `${i}`))
  for (const [x, y] of [
    [0, 0],
    [8, 3],
    [11, 9],
    [14, 10],
    [20, 10]
  ])
    assert.equal(at(x, y), [255, 255, 255])
  const read = PNG.sync.read(Buffer.from(pngOf(sheet)))
  assert.equal([read.width, read.height], [26, 14])
  assert.equal(
    [...read.data].filter((_, i) => i % 4 < 3),
    [...sheet.data]
  )
  const clear = PNG.sync.read(Buffer.from(pngOf(pictures[2])))
  assert.equal([...clear.data], [...pictures[2].data])
  assert.throws(() => contactSheet([], 3), /at least one is needed/)
  assert.throws(() => contactSheet(pictures, 0), /0 columns/)
})

test('tiles go from black to white, enlarged by whole pixels', () => {
  const tile = tileOf(Float32Array.of(-1, 0, 1, 3), 2, 2, { enlarge: 2 })
  assert.equal([tile.width, tile.height], [4, 4])
  const grey = list(16, i => tile.data[i * 3])
  assert.equal(grey, [0, 0, 64, 64, 0, 0, 64, 64, 128, 128, 255, 255, 128, 128, 255, 255])
  assert.ok(grey.every((value, i) => tile.data[i * 3 + 1] === value && tile.data[i * 3 + 2] === value))
  assert.equal(
    [...tileOf(Float32Array.of(2, 2), 2, 1).data],
    list(6, () => 128)
  )
  assert.equal([...tileOf(Float32Array.of(-5, 1), 2, 1, { range: [0, 1] }).data], [0, 0, 0, 255, 255, 255])
  const filter = filterTile(Float32Array.of(0, 1, 0, 0.2, 1, 1), 3, 1, 2)
  assert.equal([...filter.data], [0, 0, 255, 255, 51, 255])
  assert.equal([...filterTile(Float32Array.of(0, 1), 1, 2, 1).data], [0, 0, 0, 255, 255, 255])
  assert.throws(() => filterTile(new Float32Array(8), 2, 2, 2), /2 channels: 1 or 3/)
  assert.throws(() => tileOf(new Float32Array(3), 2, 2), /was given 3 elements/)
})

test.run()
