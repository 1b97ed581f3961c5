// Picture files as the command line reads them: every format and orientation, held to what a browser makes of them.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import jpeg from 'jpeg-js'
import omggif from 'omggif'
import type { Page } from 'playwright-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pngOf } from '../../cli/pictures/contact-sheet.js'
import { pictureReader } from '../../cli/pictures/picture-file.js'
import { zoo } from '../../models/index.js'
import { channelsOf, type Picture } from '../../runtime/tensor/image.js'
import { browser, withoutChromium } from '../support/browser/chromium.js'
import { commandLine } from '../support/host/command-line.js'
import {
  bmpFile,
  drawPicture,
  pngFile,
  tiffFile,
  withExif,
  withPngExif,
  withWebpExif
} from '../support/picture-files.js'
import { baseSeed, Random } from '../support/random.js'
import { skip } from '../support/skip.js'

const test = suite(`pictures (seed ${baseSeed})`)
const random = new Random('pictures')
const folder = mkdtempSync(join(tmpdir(), 'cairn-pictures-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

async function read(name: string, bytes: Uint8Array): Promise<Picture> {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return (await pictureReader([path]))(path)
}

/** The largest and the mean difference of the colours of two pictures of one size. */
function difference(a: Picture, b: Picture): { largest: number; mean: number } {
  assert.equal([a.width, a.height], [b.width, b.height])
  const [ca, cb] = [channelsOf(a), channelsOf(b)]
  let [largest, sum] = [0, 0]
  for (let pixel = 0; pixel < a.width * a.height; pixel++)
    for (let c = 0; c < 3; c++) {
      const off = Math.abs(a.data[pixel * ca + c] - b.data[pixel * cb + c])
      largest = Math.max(largest, off)
      sum += off
    }
  return { largest, mean: sum / (a.width * a.height * 3) }
}

/** Where EXIF's eight orientations put the pixel (x, y) of what is seen, in a stored picture of w × h (CIPA DC-008). */
const stored: readonly ((x: number, y: number, w: number, h: number) => [number, number])[] = [
  (x, y) => [x, y],
  (x, y, w) => [w - 1 - x, y],
  (x, y, w, h) => [w - 1 - x, h - 1 - y],
  (x, y, _w, h) => [x, h - 1 - y],
  (x, y) => [y, x],
  (x, y, _w, h) => [y, h - 1 - x],
  (x, y, w, h) => [w - 1 - y, h - 1 - x],
  (x, y, w) => [w - 1 - y, x]
]

/** A picture stored as a camera that is held so would: `orientation` brings it back. */
function turned(picture: Picture, orientation: number): Picture {
  const { width, height } = picture
  const [w, h] = orientation > 4 ? [height, width] : [width, height]
  const data = new Uint8Array(picture.data.length)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [sx, sy] = stored[orientation - 1](x, y, w, h)
      data.set(picture.data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3), (sy * w + sx) * 3)
    }
  return { data, width: w, height: h }
}

const jpegOf = ({ data, width, height }: Picture) => {
  const rgba = new Uint8Array(width * height * 4).map((_, i) => (i % 4 === 3 ? 255 : data[(i >> 2) * 3 + (i % 4)]))
  return new Uint8Array(jpeg.encode({ data: rgba, width, height }, 95).data)
}

test('all eight orientations are turned upright, of JPEG, PNG and TIFF, in both byte orders', async () => {
  const picture = drawPicture(random, 40, 24)
  for (let orientation = 1; orientation <= 8; orientation++) {
    const as = turned(picture, orientation)
    for (const little of [true, false]) {
      const { mean } = difference(await read('x.jpg', withExif(jpegOf(as), orientation, little)), picture)
      assert.ok(mean < 4, `JPEG ${orientation}: ${mean}`)
      const raw = { ...as, samples: [...as.data], depth: 8 }
      const tiff = tiffFile(raw, { meaning: 2, orientation, little, deflate: little })
      assert.is(difference(await read('x.tif', tiff), picture).largest, 0, `TIFF ${orientation}`)
    }
    const png = await read('x.png', withPngExif(pngOf(as), orientation))
    assert.is(difference(png, picture).largest, 0, `PNG ${orientation}`)
  }
  const odd = await read('x.jpg', withExif(jpegOf(picture), 9, true))
  assert.equal([odd.width, odd.height], [40, 24])
})

test('PNG and TIFF of every kind hold the same grey, colours and palettes', async () => {
  const [width, height] = [19, 7]
  const grey = random.ints(width * height, [0, 255])
  const expected = { data: Uint8Array.from(grey.flatMap(g => [g, g, g])), width, height }
  const palette = random.ints(256 * 3, [0, 255])
  const coloured = { data: Uint8Array.from(grey.flatMap(g => palette.slice(g * 3, g * 3 + 3))), width, height }
  const at = (depth: number, map: (g: number) => number[]) => ({ width, height, depth, samples: grey.flatMap(map) })
  const both: readonly (readonly [string, Uint8Array, Picture])[] = [
    ['grey.png', pngFile({ ...at(8, g => [g]), type: 0 }), expected],
    ['grey16.png', pngFile({ ...at(16, g => [g * 257]), type: 0 }), expected],
    ['alpha.png', pngFile({ ...at(8, g => [g, 255]), type: 4 }), expected],
    ['rgb16.png', pngFile({ ...at(16, g => [g * 257, g * 257, g * 257]), type: 2 }), expected],
    ['rgba.png', pngFile({ ...at(8, g => [g, g, g, 255]), type: 6 }), expected],
    ['palette.png', pngFile({ ...at(8, g => [g]), type: 3 }, palette), coloured],
    ...[true, false].flatMap(little => {
      const how = { little, deflate: !little }
      const columns = [0, 1, 2].flatMap(c => Array.from({ length: 256 }, (_, i) => palette[i * 3 + c] * 257))
      return [
        [
          'grey.tif',
          tiffFile(
            at(8, g => [g]),
            { meaning: 1, ...how }
          ),
          expected
        ],
        [
          'white.tif',
          tiffFile(
            at(8, g => [255 - g]),
            { meaning: 0, ...how }
          ),
          expected
        ],
        [
          'grey16.tif',
          tiffFile(
            at(16, g => [g * 257]),
            { meaning: 1, ...how }
          ),
          expected
        ],
        [
          'rgb16.tif',
          tiffFile(
            at(16, g => [g * 257, g * 257, g * 257]),
            { meaning: 2, ...how }
          ),
          expected
        ],
        [
          'palette.tif',
          tiffFile(
            at(8, g => [g]),
            { meaning: 3, ...how },
            columns
          ),
          coloured
        ]
      ] as [string, Uint8Array, Picture][]
    })
  ]
  for (const [name, bytes, wanted] of both) assert.is(difference(await read(name, bytes), wanted).largest, 0, name)
  const bits = { width, height, depth: 1, samples: grey.map(g => g & 1) }
  const black = { data: Uint8Array.from(grey.flatMap(g => new Array(3).fill((g & 1) * 255))), width, height }
  assert.is(difference(await read('bits.png', pngFile({ ...bits, type: 0 })), black).largest, 0)
  assert.is(
    difference(await read('bits.tif', tiffFile(bits, { meaning: 1, little: true, deflate: false })), black).largest,
    0
  )
  const cmyk = tiffFile(
    { width, height, depth: 8, samples: random.ints(width * height * 4, [0, 255]) },
    { meaning: 5, little: true, deflate: false }
  )
  try {
    await read('cmyk.tif', cmyk)
    assert.unreachable()
  } catch (error) {
    assert.match((error as Error).message, /cmyk\.tif: a TIFF with CMYK, which is not read; save it as PNG/)
  }
})

/** What the page's browser makes of a file, as the pixels of a canvas. */
async function seen(page: Page, bytes: Uint8Array, type: string): Promise<Picture> {
  const { width, height, text } = await page.evaluate(
    async ([text, type]) => {
      const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(text), c => c.charCodeAt(0))], { type }))
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')!
      context.drawImage(bitmap, 0, 0)
      const { data, width, height } = context.getImageData(0, 0, bitmap.width, bitmap.height)
      return { width, height, text: btoa(Array.from(data, byte => String.fromCharCode(byte)).join('')) }
    },
    [Buffer.from(bytes).toString('base64'), type] as const
  )
  return { data: new Uint8Array(Buffer.from(text, 'base64')), width, height }
}

/** A file of the picture as the browser writes it. */
async function written(
  page: Page,
  { data, width, height }: Picture,
  type: string,
  quality: number
): Promise<Uint8Array> {
  const text = await page.evaluate(
    async ([text, width, height, type, quality]) => {
      const rgb = atob(text)
      const pixels = new ImageData(width, height)
      for (let i = 0; i < pixels.data.length; i++)
        pixels.data[i] = i % 4 === 3 ? 255 : rgb.charCodeAt((i >> 2) * 3 + (i % 4))
      const canvas = new OffscreenCanvas(width, height)
      canvas.getContext('2d')!.putImageData(pixels, 0, 0)
      const blob = await canvas.convertToBlob({ type, quality })
      return btoa(Array.from(new Uint8Array(await blob.arrayBuffer()), byte => String.fromCharCode(byte)).join(''))
    },
    [Buffer.from(data).toString('base64'), width, height, type, quality] as const
  )
  return new Uint8Array(Buffer.from(text, 'base64'))
}

const missing = await withoutChromium()
if (missing) skip('pictures as Chromium decodes them', missing)
else
  test('a browser sees the same pixels, whatever the format', async () => {
    const page = await (await browser()).newPage()
    const picture = drawPicture(random, 67, 45)
    const compare = async (name: string, bytes: Uint8Array, type: string, limit: number) => {
      const { mean } = difference(await read(name, bytes), await seen(page, bytes, type))
      assert.ok(mean <= limit, `${name}: differs by ${mean} on average, ${limit} is allowed`)
    }
    // Upsampled chroma is smoothed by some decoders and not by others.
    for (let orientation = 1; orientation <= 8; orientation += 1)
      await compare(
        'p.jpg',
        withExif(await written(page, picture, 'image/jpeg', 0.95), orientation, orientation > 4),
        'image/jpeg',
        1.5
      )
    await compare('p.png', withPngExif(pngOf(picture), 6), 'image/png', 0)
    await compare('lossy.webp', await written(page, picture, 'image/webp', 0.8), 'image/webp', 0)
    await compare('lossless.webp', await written(page, picture, 'image/webp', 1), 'image/webp', 0)
    for (const depth of [8, 24, 32] as const)
      for (const topDown of [true, false])
        await compare(`${depth}.bmp`, bmpFile(picture, depth, topDown, topDown ? 0 : 10), 'image/bmp', 0)
    const colours = Array.from({ length: 64 }, () => random.int(0, 0xffffff))
    const gif = new Uint8Array(67 * 45 + 4096)
    const writer = new omggif.GifWriter(gif as never, 67, 45, { palette: colours as never })
    for (let frame = 0; frame < 2; frame++)
      writer.addFrame(0, 0, 67, 45, Array.from({ length: 67 * 45 }, () => random.int(0, 63)) as never)
    await compare('two-frames.gif', gif.slice(0, writer.end()), 'image/gif', 0)
    const webp = withWebpExif(await written(page, picture, 'image/webp', 1), picture, 6)
    const upright = await read('turned.webp', webp)
    assert.equal([upright.width, upright.height], [45, 67])
    await page.close()
  })

const cairn = commandLine(folder)

test('pictures that claim more pixels than they have are refused before there is room for them', async () => {
  const refuses = async (name: string, bytes: Uint8Array, why: RegExp) => {
    let refused = ''
    await read(name, bytes).catch((error: Error) => (refused = error.message))
    assert.match(refused, why)
  }
  const whole = Buffer.from(pngOf(drawPicture(random, 40, 30)))
  const claiming = (bytes: Buffer, width: number, height: number) => {
    const other = Buffer.from(bytes)
    other.writeUInt32BE(width, 16)
    other.writeUInt32BE(height, 20)
    other.writeUInt32BE(crc32(other.subarray(12, 29)), 29)
    return other
  }
  const peak = process.resourceUsage().maxRSS
  await refuses('huge.png', claiming(whole, 60_000, 60_000), /60000×60000 pixels; up to 200 million are allowed/)
  await refuses('short.png', claiming(whole, 40, 31), /damaged image \(it has \d+ of \d+ bytes of pixels\)/)
  const bmp = Buffer.from(bmpFile(drawPicture(random, 8, 5), 24, false))
  bmp.writeInt32LE(30_000, 18)
  bmp.writeInt32LE(30_000, 22)
  await refuses('huge.bmp', bmp, /30000×30000 pixels/)
  assert.ok(process.resourceUsage().maxRSS - peak < 200_000, 'no room was made')
  assert.equal((await read('whole.png', whole)).width, 40)
})

test('run and train see a turned photo as it is seen, under any name', async () => {
  writeFileSync(join(folder, 'r.onnx'), zoo['resnet20-cifar'].build())
  const photo = jpegOf(drawPicture(random, 48, 32))
  writeFileSync(join(folder, 'upright.jpg'), photo)
  // The same compressed pixels; only what is said of them differs.
  for (const [name, orientation] of [
    ['turned.png', 6],
    ['again.jpg', 1]
  ] as const)
    writeFileSync(join(folder, name), withExif(photo, orientation, true))
  const run = (...names: string[]) => {
    const { stdout, stderr } = cairn(
      'run',
      'r.onnx',
      '--device',
      'wasm',
      '--json',
      ...names.flatMap(name => ['--image', name])
    )
    assert.is(stderr, '')
    return JSON.parse(stdout).runs.map(({ outputs }: { outputs: { min: number; max: number }[] }) => [
      outputs[0].min,
      outputs[0].max
    ])
  }
  const [upright, turnedRun, again] = run('upright.jpg', 'turned.png', 'again.jpg')
  assert.equal(again, upright)
  assert.not.equal(turnedRun, upright)
})

test('train tells what it leaves out and why, and goes by contents', () => {
  writeFileSync(join(folder, 'lenet5.onnx'), zoo.lenet5.build())
  const data = join(folder, 'data')
  for (const [label, shade] of [
    ['dark', 40],
    ['light', 200]
  ] as const) {
    mkdirSync(join(data, label, 'more'), { recursive: true })
    for (let i = 0; i < 6; i++) {
      const picture = { data: new Uint8Array(32 * 32 * 3).map(() => shade + random.int(0, 40)), width: 32, height: 32 }
      const bytes = i % 2 ? jpegOf(picture) : pngOf(picture)
      writeFileSync(join(data, label, i < 2 ? 'more' : '.', `${i}.${i === 3 ? 'heic' : 'jpg'}`), bytes)
    }
  }
  writeFileSync(join(data, 'dark', '.DS_Store'), 'x')
  writeFileSync(join(data, 'dark', 'page.jpg'), '<!doctype html><title>404</title>')
  writeFileSync(join(data, 'light', 'notes.txt'), 'of the camera\n')
  writeFileSync(join(data, 'light', 'empty.png'), '')
  writeFileSync(join(data, 'loose.png'), pngOf(drawPicture(random, 8, 8)))
  writeFileSync(join(data, 'light', 'photo.heic'), Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'))
  const common = ['train', 'lenet5.onnx', '--data', 'data', '--epochs', '2', '--stretch']
  const { status, stdout, stderr } = cairn(...common)
  assert.is(status, 0, stderr)
  assert.match(stdout, /^left out of data:\n/)
  for (const line of [
    /1 × hidden files \(dark\/\.DS_Store\)/,
    /1 × an HTML page; .* \(dark\/page\.jpg\)/,
    /1 × a text file \(light\/notes\.txt\)/,
    /1 × an empty file \(light\/empty\.png\)/,
    /1 × a HEIC image; save it as JPEG \(light\/photo\.heic\)/,
    /1 × beside the folders of the classes \(loose\.png\)/,
    /: 12 images of 2 classes/
  ])
    assert.match(stdout, line)
  const said = JSON.parse(cairn(...common, '--json').stdout)
  assert.is(
    said.leftOut.reduce((sum: number, { count }: { count: number }) => sum + count, 0),
    6
  )
  mkdirSync(join(data, 'none'))
  writeFileSync(join(data, 'none', 'a.txt'), 'nothing\n')
  const empty = cairn(...common)
  assert.match(empty.stderr, /^cairn: --data data: class "none" has no images; it has 1 × a text file\n$/)
  assert.is(empty.status, 1)
})

test.run()
