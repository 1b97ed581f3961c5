// Augmentations: what each does to a picture, that the same seed gives the same bytes, and what their lists may say.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CairnError } from '../../runtime/base/errors.js'
import type { Picture } from '../../runtime/tensor/image.js'
import {
  compose,
  crop,
  flipped,
  flippedVertically,
  type Geometry,
  identity,
  isIdentity,
  rotated,
  scaled,
  shifted
} from '../../runtime/train/augment/affine.js'
import { chained, components, hue, saturated, spreads, unchanged } from '../../runtime/train/augment/colour.js'
import { elastic } from '../../runtime/train/augment/elastic.js'
import { autoContrast, equalise, posterise, sharpen, solarise } from '../../runtime/train/augment/randaugment.js'
import { warp } from '../../runtime/train/augment/warp.js'
import { augmentationOf, augmentations, parseAugmentations } from '../../runtime/train/augment.js'
import { Random } from '../../runtime/train/random.js'
import { baseSeed } from '../support/random.js'

const test = suite(`train-augment (seed ${baseSeed})`)
const random = new Random(baseSeed)

const bytes = (picture: Picture) => [...picture.data]

/** Random bytes. */
function picture(width: number, height: number, channels = 3): Picture {
  const data = Uint8Array.from({ length: width * height * channels }, () => random.whole(256))
  return { data, width, height }
}

const plain = (width: number, height: number, colour: readonly number[]): Picture => ({
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => colour[i % 3]),
  width,
  height
})

const side = () => 5 + random.whole(30)

const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length

function refused(text: string, pattern: RegExp): void {
  assert.throws(
    () => parseAugmentations(text),
    (error: unknown) => error instanceof CairnError && pattern.test(error.message) && !error.message.includes('\n')
  )
}

test('flipped twice, a picture is what it was; flipped once, its rows or columns are reversed', () => {
  const original = picture(side(), side())
  for (const map of [flipped, flippedVertically]) {
    const once = warp(original, map)
    assert.not.equal(bytes(once), bytes(original))
    assert.equal(bytes(warp(once, map)), bytes(original))
    assert.ok(isIdentity(compose(map, map)))
  }
  const { width, height } = original
  const mirrored = warp(original, flipped)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      assert.is(mirrored.data[(y * width + x) * 3], original.data[(y * width + width - 1 - x) * 3])
})

test('a shift by whole pixels moves bytes, and repeats those of the border', () => {
  const original = picture(side(), side())
  const { width, height } = original
  const [right, down] = [random.whole(9) - 4, random.whole(9) - 4]
  const moved = warp(original, shifted(right, down))
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const fromX = Math.min(Math.max(x - right, 0), width - 1)
      const fromY = Math.min(Math.max(y - down, 0), height - 1)
      for (let k = 0; k < 3; k++)
        assert.is(moved.data[(y * width + x) * 3 + k], original.data[(fromY * width + fromX) * 3 + k])
    }
})

test('quarter turns are exact and clockwise, no turn changes nothing, and maps compose as pictures do', () => {
  const size = side()
  const original = picture(size, size)
  assert.equal(bytes(warp(original, rotated(0))), bytes(original))
  const turned = warp(original, rotated(90))
  for (let i = 0; i < size; i++)
    assert.is(turned.data[(i * size + size - 1) * 3], original.data[i * 3], 'the first row becomes the last column')
  assert.equal(bytes(warp(turned, rotated(-90))), bytes(original))
  const both = warp(original, compose(rotated(90), flipped))
  assert.equal(bytes(both), bytes(warp(turned, flipped)))
  assert.not.equal(bytes(both), bytes(warp(original, compose(flipped, rotated(90)))))
})

test('a turned disc keeps its mean, and one twice as large has four times the area', () => {
  const size = 61
  const radius = 10 + random.whole(5)
  const data = new Uint8Array(size * size * 3)
  for (let i = 0; i < size * size; i++)
    if (Math.hypot((i % size) - 30, Math.floor(i / size) - 30) < radius) data.fill(200, i * 3, i * 3 + 3)
  const disc = { data, width: size, height: size }
  const turned = warp(disc, rotated(random.between(-180, 180)))
  assert.ok(Math.abs(mean(turned.data) / mean(data) - 1) < 0.02)
  const grown = warp(disc, scaled(2))
  assert.ok(Math.abs(mean(grown.data) / mean(data) - 4) < 0.3)
})

test('a crop has a share of the area and proportions as asked, and lies inside', () => {
  const size = { width: side(), height: side() }
  let parts = 0
  for (let i = 0; i < 200; i++) {
    const [a, b, c, d, e, f] = crop({ area: [0.3, 0.6], ratio: [0.5, 2] }).draw(size, random)
    if (isIdentity([a, b, c, d, e, f])) continue
    parts++
    assert.ok(a * e >= 0.3 - 1e-9 && a * e <= 0.6 + 1e-9)
    assert.ok(a / e >= 0.5 - 1e-9 && a / e <= 2 + 1e-9)
    assert.ok(Math.abs(c) <= ((1 - a) * size.width) / 2 + 1e-9)
    assert.ok(Math.abs(f) <= ((1 - e) * size.height) / 2 + 1e-9)
    assert.equal([b, d], [0, 0])
  }
  assert.ok(parts > 190)
})

test('geometry draws within its amounts', () => {
  const draws = (geometry: Geometry) =>
    Array.from({ length: 100 }, () => geometry.draw({ width: 50, height: 40 }, random))
  const named = (name: string, amount: number) => augmentations[name].make(amount) as Geometry
  for (const [, , x, , , y] of draws(named('shift', 0.1))) assert.ok(Math.abs(x) <= 5 && Math.abs(y) <= 4)
  for (const [a, , , , e] of draws(named('scale', 1))) assert.ok(a === e && a >= 0.5 && a <= 2)
  for (const [a, b] of draws(named('rotate', 30))) assert.ok(Math.abs(Math.atan2(b, a)) <= Math.PI / 6 + 1e-9)
  assert.ok(draws(named('flip', 0)).every(isIdentity))
  assert.ok(draws(named('flip', 1)).every(map => map === flipped))
})

test('hue and saturation keep grey grey, and saturation 0 makes it so', () => {
  const grey = random.whole(256)
  const original = plain(7, 5, [grey, grey, grey])
  for (const name of ['hue', 'saturation'])
    assert.equal(bytes(parseAugmentations(name)(original, random)), bytes(original), name)
  const colours = saturated(0)
  for (const column of [0, 1, 2])
    assert.ok(colours[column] === colours[4 + column] && colours[column] === colours[8 + column])
  const turn = hue(0.5)
  const [there, back] = [turn.draw(0, random), turn.draw(0, random)]
  for (const map of [there, back, chained(there, back)])
    for (const row of [0, 4, 8]) assert.ok(Math.abs(map[row] + map[row + 1] + map[row + 2] - 1) < 1e-9)
})

test('brightness multiplies, contrast keeps the mean of a grey picture', () => {
  // Twice of it, half as bright again, is at most 255.
  const value = 40 + random.whole(46)
  const lit = parseAugmentations('brightness=0.5')(plain(4, 4, [value, 2 * value, 0]), random).data
  assert.ok(lit[0] >= value * 0.5 - 1 && lit[0] <= value * 1.5 + 1 && lit[2] === 0)
  assert.ok(Math.abs(lit[1] - 2 * lit[0]) <= 2)
  const stripes = plain(8, 8, [0, 0, 0])
  for (let i = 0; i < 64; i++) stripes.data.fill(i % 2 ? 160 : 80, i * 3, i * 3 + 3)
  assert.ok(Math.abs(mean(parseAugmentations('contrast=0.5')(stripes, random).data) - 120) <= 1)
  const darker = parseAugmentations('brightness=0.5,contrast=0.5')(
    plain(4, 4, [value, value, value]),
    new Random(3)
  ).data
  assert.equal(
    bytes({ data: darker, width: 4, height: 4 }),
    bytes(parseAugmentations('brightness=0.5')(plain(4, 4, [value, value, value]), new Random(3))),
    'contrast of a plain picture does nothing, however bright it has become'
  )
})

test('lighting adds one amount to all red bytes, one to all green, one to all blue', () => {
  const data = Uint8Array.from({ length: 90 }, () => 100 + random.whole(56))
  const changed = parseAugmentations('lighting=0.1')({ data, width: 6, height: 5 }, random).data
  for (let i = 3; i < 90; i++) assert.is(changed[i] - data[i], changed[i % 3] - data[i % 3])
  const spread = Array.from(
    { length: 500 },
    () => parseAugmentations('lighting')(plain(1, 1, [128, 128, 128]), random).data
  )
  const deviation = (k: number) => Math.sqrt(mean(spread.map(pixel => (pixel[k] - 128) ** 2)))
  for (const k of [0, 1, 2]) assert.ok(Math.abs(deviation(k) - 255 * 0.1 * 0.2175 * 0.577) < 0.8, `${deviation(k)}`)
})

test('lighting is the formula of Krizhevsky et al. 2012, section 4.1', () => {
  const axis = (k: number) => [0, 1, 2].map(row => components[row * 3 + k])
  for (const i of [0, 1, 2])
    for (const k of [0, 1, 2]) {
      const product = axis(i).reduce((sum, value, row) => sum + value * axis(k)[row], 0)
      assert.ok(Math.abs(product - Number(i === k)) < 1e-3, 'components are at right angles, of length 1')
    }
  for (let time = 0; time < 20; time++) {
    const [seed, std] = [random.whole(2 ** 32), random.between(0.01, 0.3)]
    const alphas = new Random(seed)
    const steps = spreads.map(spread => alphas.normal() * std * spread)
    // [p1, p2, p3] [α1 λ1, α2 λ2, α3 λ3]ᵀ, of colours from 0 to 1.
    const added = [0, 1, 2].map(row => steps.reduce((sum, step, k) => sum + axis(k)[row] * step, 0))
    const changed = parseAugmentations(`lighting=${std}`)(plain(2, 2, [120, 130, 140]), new Random(seed)).data
    changed.forEach((byte, i) => {
      assert.is(byte, Math.round([120, 130, 140][i % 3] + 255 * added[i % 3]))
    })
  }
})

test('what RandAugment draws from are the plain formulas', () => {
  const original = picture(9, 7)
  const channel = (of: Picture, k: number) => bytes(of).filter((_, i) => i % 3 === k)
  assert.equal(
    bytes(solarise(original, 100)),
    bytes(original).map(byte => (byte < 100 ? byte : 255 - byte))
  )
  assert.equal(
    bytes(posterise(original, 3)),
    bytes(original).map(byte => (byte >> 5) << 5)
  )
  for (const k of [0, 1, 2]) {
    const [before, after] = [channel(original, k), channel(autoContrast(original), k)]
    const [low, high] = [Math.min(...before), Math.max(...before)]
    assert.equal(
      after,
      before.map(byte => Math.floor(((byte - low) * 255) / (high - low)))
    )
  }
  const dark = {
    ...original,
    data: Uint8Array.from({ length: 40 * 40 * 3 }, () => random.whole(64)),
    width: 40,
    height: 40
  }
  for (const k of [0, 1, 2]) {
    const [before, after] = [channel(dark, k), channel(equalise(dark), k)]
    const ranks = before.map(byte => before.filter(other => other < byte).length / before.length)
    after.forEach((byte, i) => assert.ok(Math.abs(byte / 255 - ranks[i]) < 0.07, `${byte / 255}, ${ranks[i]}`))
  }
  assert.equal(bytes(equalise(plain(4, 4, [3, 4, 5]))), bytes(plain(4, 4, [3, 4, 5])))
  const sharp = sharpen(original, 1.5)
  for (let y = 0; y < 7; y++)
    for (let x = 0; x < 9; x++)
      for (let k = 0; k < 3; k++) {
        const at = (dy: number, dx: number) => original.data[((y + dy) * 9 + x + dx) * 3 + k]
        const isInside = y > 0 && y < 6 && x > 0 && x < 8
        const around = [-1, 0, 1].flatMap(dy => [-1, 0, 1].map(dx => (isInside ? at(dy, dx) : 0)))
        const smooth = (around.reduce((a, b) => a + b, 0) + 4 * at(0, 0)) / 13
        const wanted = isInside ? smooth + 1.5 * (at(0, 0) - smooth) : at(0, 0)
        assert.ok(Math.abs(sharp.data[(y * 9 + x) * 3 + k] - Math.min(Math.max(wanted, 0), 255)) <= 0.51)
      }
})

test('RandAugment draws so many of them, of that strength', () => {
  const original = picture(16, 12)
  const seen = new Set<string>()
  for (let i = 0; i < 300; i++) seen.add(String(bytes(parseAugmentations('randaugment=5:1')(original, new Random(i)))))
  // Thirteen that change something, eight of them either way.
  assert.ok(seen.size > 16 && seen.size <= 22, `${seen.size} variants`)
  const two = new Set<string>()
  for (let i = 0; i < 300; i++) two.add(String(bytes(parseAugmentations('randaugment=5:2')(original, new Random(i)))))
  assert.ok(two.size > 3 * seen.size, `${two.size} variants of two`)
  refused('randaugment=11', /^augmentation randaugment=11: a number from 0 to 10 is allowed$/)
  refused('randaugment=5:0', /from 1 to 14 is allowed$/)
  refused('flip=0.5:2', /is allowed$/)
})

test('noise has the deviation asked for', () => {
  const grey = plain(100, 100, [128, 128, 128])
  const differences = bytes(parseAugmentations('noise=0.05')(grey, random)).map(value => value - 128)
  assert.ok(Math.abs(mean(differences)) < 0.5)
  assert.ok(Math.abs(Math.sqrt(mean(differences.map(value => value * value))) - 12.75) < 0.4)
})

test('elastic: 0 changes nothing, else points move as far as asked, and neighbours alike', () => {
  const original = picture(side(), side())
  assert.equal(bytes(augmentationOf([elastic(0)])(original, random)), bytes(original))
  const { x, y } = elastic(8).draw({ width: 224, height: 224 }, random)
  const square = mean(x.map((value, i) => value * value + y[i] * y[i]))
  assert.ok(Math.abs(Math.sqrt(square) - 8) < 0.01)
  const steps = x.subarray(0, 223).map((value, i) => Math.abs(value - x[i + 1]))
  assert.ok(Math.max(...steps) < 2)
  for (const [width, height] of [
    [1, 1],
    [1, 9],
    [2, 3]
  ])
    assert.is(parseAugmentations('elastic')(picture(width, height), random).data.length, width * height * 3)
})

test('cutout leaves a square of the mean colour, whole where it does not reach the border', () => {
  const original = plain(40, 60, [1, 2, 3])
  let whole = 0
  for (let i = 0; i < 50; i++) {
    const changed = parseAugmentations('cutout=0.25')(original, random).data
    const cut: number[] = []
    for (let at = 0; at < 2400; at++) if (changed[at * 3] === 124) cut.push(at)
    const [columns, rows] = [cut.map(at => at % 40), cut.map(at => Math.floor(at / 40))]
    const [width, height] = [columns, rows].map(list => Math.max(...list) - Math.min(...list) + 1)
    assert.is(cut.length, width * height)
    assert.ok(width <= 10 && height <= 10)
    const inside =
      Math.min(...columns) > 0 && Math.max(...columns) < 39 && Math.min(...rows) > 0 && Math.max(...rows) < 59
    if (inside) assert.equal([width, height], [10, 10])
    whole += Number(inside)
  }
  assert.ok(whole > 5)
  assert.equal(bytes(original), bytes(plain(40, 60, [1, 2, 3])), 'the picture itself is as it was')
})

test('every augmentation: RGB of the same size, same seed same bytes, the picture untouched, alpha dropped', () => {
  const names = Object.keys(augmentations)
  for (const text of [...names, names.join(), 'flip, shift=0.1 ,rotate=15', '']) {
    const augment = parseAugmentations(text)
    const original = picture(side(), side())
    const before = bytes(original)
    const seed = random.whole(2 ** 32)
    const once = augment(original, new Random(seed))
    assert.equal([once.width, once.height, once.data.length], [original.width, original.height, before.length], text)
    assert.equal(bytes(augment(original, new Random(seed))), bytes(once), text)
    assert.equal(bytes(original), before, text)
    const { width, height } = original
    const data = Uint8Array.from({ length: width * height * 4 }, (_, i) =>
      i % 4 < 3 ? before[(i >> 2) * 3 + (i % 4)] : 7
    )
    assert.equal(bytes(augment({ data, width, height }, new Random(seed))), bytes(once), `${text} of RGBA`)
    const variants = Array.from({ length: 20 }, (_, i) => String(augment(original, new Random(seed).fork(i)).data))
    if (text) assert.ok(new Set(variants).size > 1, text)
    else assert.equal(bytes(once), before)
  }
  assert.ok(identity.every(Number.isInteger) && unchanged.length === 12)
})

test('lists that make no sense are refused in one line', () => {
  refused('flip,turn=3', /^augmentation turn: unknown; flip, vflip, .*cutout, randaugment are allowed$/)
  refused('rotate=400', /^augmentation rotate=400: a number from 0 to 180 is allowed$/)
  refused('crop=0', /from 0.01 to 1 is allowed/)
  for (const text of ['flip=', 'flip=x', 'flip=-1', 'noise=NaN', 'shift=1e9', 'cutout=0.2=3'])
    refused(text, /is allowed/)
  for (const text of ['flip,,noise', 'toString', ',', '=3', 'constructor=1']) refused(text, /unknown/)
})

test.run()
