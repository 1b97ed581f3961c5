// Trained heads that are dropped onto the page: put in, named, and fed as they were trained.
import type { Browser, Page } from 'playwright-core'
import { PNG } from 'pngjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compile } from '../../compiler/index.js'
import { fit, InferenceSession, letterbox, resize, Tensor, toFloatData } from '../../runtime/index.js'
import { applyPatch, type ImagePreparation, Trainer } from '../../train/index.js'
import { launchChromium } from '../support/browser/chromium.js'
import { apart, classifier, inTabs, kept, named, picture, tab } from '../support/browser/page-tabs.js'
import { buildPage, settled } from '../support/browser/web-page.js'
import { Random } from '../support/random.js'
import { skip } from '../support/skip.js'

buildPage()

const side = 16

const beside = (weights: Buffer | undefined) => ({ externalData: weights && (() => new Uint8Array(weights)) })

/** A head of three classes that has learnt a little, with what it says of a picture. */
async function taught(model: Buffer, seed: string, preparation: ImagePreparation | undefined, weights?: Buffer) {
  const classes = ['ant', 'bee', 'cow']
  const random = new Random(seed)
  const inputs = Array.from({ length: 6 }, () =>
    Float32Array.from({ length: 3 * side * side }, () => random.uniform(-1, 1))
  )
  const options = { classes, preparation, epochs: 2, learningRate: 0.5, ...beside(weights) }
  const trainer = await Trainer.create(new Uint8Array(model), options)
  await trainer.fit({ labels: inputs.map((_, i) => i % 3), augmented: false, input: index => inputs[index] })
  const patch = trainer.patch().slice()
  await trainer.release()
  return { patch, classes }
}

/** Names and shares as the page shows them, the best first. */
async function expected(model: Buffer, patch: Uint8Array, photo: Buffer, prepared: ImagePreparation, weights?: Buffer) {
  const { channels, scale, mean, std } = prepared
  const png = PNG.sync.read(photo)
  const given = { data: new Uint8Array(png.data), width: png.width, height: png.height }
  const fitted = {
    crop: () => fit(given, { width: side, height: side, resize: prepared.resize }),
    stretch: () => resize(given, side, side),
    pad: () => letterbox(given, side, side)
  }[prepared.fit]()
  const data = toFloatData(fitted, { channels, scale, mean, std })
  const patched = await applyPatch(new Uint8Array(model), patch, beside(weights))
  const session = await InferenceSession.create(await compile(patched, beside(weights)))
  const { probabilities } = await session.run({ x: new Tensor('float32', data, [1, 3, side, side]) })
  await session.release()
  return ['ant', 'bee', 'cow']
    .map((name, i) => ({ name, share: Number(probabilities.data[i]) * 100 }))
    .sort((a, b) => b.share - a.share)
}

async function says(page: Page, answer: readonly { readonly name: string; readonly share: number }[]): Promise<void> {
  await page.waitForSelector(`#found .bar >> nth=${answer.length - 1}`)
  assert.is(await settled(page), undefined)
  const shown = (await page.locator('#found .bar').allInnerTexts()).map(line => line.split('\n'))
  assert.equal(
    shown.map(([name]) => name),
    answer.map(({ name }) => name)
  )
  shown.forEach(([name, share], i) =>
    assert.ok(Math.abs(Number.parseFloat(share) - answer[i].share) <= 0.11, `${name} ${share}, ${answer[i].share}`)
  )
}

const file = (name: string, content: Uint8Array) => ({ name, mimeType: '', buffer: Buffer.from(content) })

function heads(browser: Browser): void {
  const test = suite('heads in the page')
  const { served, context } = inTabs(test, browser, { 'other.onnx': classifier('other') })
  const model = classifier('taught')
  const photo = picture(new Random('photo of a head', 1), 'wide')

  for (const [what, prepared, guess] of [
    [
      'numbers of its own and a centre',
      { channels: 'BGR', scale: 0.01, mean: [0.9, 1.2, 1.5], std: [0.5, 0.7, 0.9], fit: 'crop', resize: 21 },
      { values: '{"scale":0.01,"mean":[1.5,1.2,0.9],"std":[0.9,0.7,0.5]}', channels: 'BGR', fit: '{"resize":21}' }
    ],
    [
      'ImageNet’s numbers, padded',
      { channels: 'RGB', scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], fit: 'pad' },
      { values: 'imagenet', channels: 'RGB', fit: 'pad' }
    ],
    [
      'one number for all channels, cut as usual',
      { channels: 'RGB', scale: 1 / 127.5, mean: [1], std: [1], fit: 'crop' },
      { values: 'signed', channels: 'RGB', fit: 'inner' }
    ]
  ] as const satisfies readonly (readonly [string, ImagePreparation, object])[])
    test(`a patch that is dropped with its model is prepared as it says: ${what}`, async () => {
      const { page, errors } = await tab(context(), served().url)
      const { patch } = await taught(model, what, prepared)
      const answer = await expected(model, patch, photo.buffer, prepared)
      await page.setInputFiles('#photo-file', photo)
      await page.setInputFiles('#model-file', [file('insects.patch', patch), file('net.onnx', model)])
      await named(page, 'insects')
      await says(page, answer)
      assert.match(await page.innerText('#guess'), /as the patch says/)
      for (const [id, value] of Object.entries(guess)) assert.is(await page.inputValue(`#${id}`), value)
      await kept(page)
      await page.reload()
      await named(page, 'insects')
      await says(page, answer)
      assert.equal(errors, [])
    })

  test('a patch goes into the model that is open, whose weights may lie beside it', async () => {
    const { page, errors } = await tab(context(), served().url)
    const { model: proto, weights } = apart(model)
    const prepared = { channels: 'RGB', scale: 1, mean: [0], std: [1], fit: 'stretch' } as const
    const { patch } = await taught(proto, 'open', undefined, weights)
    await page.setInputFiles('#photo-file', photo)
    await page.setInputFiles('#model-file', [file('net.onnx', proto), file('apart.onnx.data', weights)])
    await named(page, 'net')
    await page.click('#input-details summary')
    await page.selectOption('#values', 'bytes')
    await page.selectOption('#fit', 'stretch')
    await settled(page)
    await page.setInputFiles('#model-file', file('insects.patch', patch))
    await named(page, 'insects')
    await says(page, await expected(proto, patch, photo.buffer, prepared, weights))
    await page.goBack()
    await named(page, 'net')
    assert.equal(errors, [])
  })

  test('a patch without its model, or of another, says so; the model that is dropped then gets it', async () => {
    const { page, errors } = await tab(context(), served().url)
    const prepared = { channels: 'RGB', scale: 1 / 255, mean: [0], std: [1], fit: 'stretch' } as const
    const { patch } = await taught(model, 'alone', prepared)
    await page.setInputFiles('#photo-file', photo)
    await page.setInputFiles('#model-file', file('insects', patch))
    await page.waitForSelector('#failure:visible')
    assert.is(
      await settled(page),
      'insects: this is a trained head that tells ant, bee, cow apart; drop the .onnx model that it was trained on, too'
    )
    await page.setInputFiles('#model-file', file('net.onnx', model))
    await named(page, 'insects')
    await says(page, await expected(model, patch, photo.buffer, prepared))
    await page.click('#other')
    await page.click('#bundled .card')
    await named(page, 'other')
    await page.setInputFiles('#model-file', file('insects.patch', patch))
    await page.waitForSelector('#failure:visible')
    assert.match((await settled(page))!, /^insects\.patch: the patch belongs to another backbone/)
    assert.match(await page.innerText('#model-name'), /^other/)
    assert.equal(errors, [])
  })

  test.run()
}

const browser = await launchChromium().catch((error: Error) => error)
if (browser instanceof Error) skip('the page in Chromium', `no Chromium runs here: ${browser.message.split('\n')[0]}`)
else heads(browser)
