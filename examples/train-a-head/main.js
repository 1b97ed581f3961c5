import { applyPatch, resize, Trainer, toFloatData } from './cairn/cairn-full.min.js'

const find = id => document.getElementById(id)
const say = text => (document.querySelector('pre').textContent = text)
const network = new Uint8Array(await (await fetch('clothes.onnx')).arrayBuffer())

/** A picture as the network takes it: 28×28 pixels, grey, from 0 to 1. */
async function pixelsOf(file) {
  const picture = await createImageBitmap(file)
  const canvas = new OffscreenCanvas(picture.width, picture.height).getContext('2d')
  canvas.drawImage(picture, 0, 0)
  const bytes = canvas.getImageData(0, 0, picture.width, picture.height)
  return toFloatData(resize(bytes, 28, 28), { channels: 'GRAY', scale: 1 / 255 })
}

async function train() {
  const files = ['first', 'second'].map(id => [...find(id).files])
  const labels = files.flatMap((own, label) => own.map(() => label))
  const pixels = await Promise.all(files.flat().map(pixelsOf))
  const trainer = await Trainer.create(network, {
    classes: ['first', 'second'],
    epochs: 30,
    learningRate: 0.01,
    seed: 1
  })
  const { validation } = await trainer.fit(
    { labels, input: index => pixels[index] },
    { onEpoch: ({ epoch, trainLoss }) => say(`epoch ${epoch}: loss ${trainLoss.toFixed(4)}`) }
  )
  say(`trained; ${(100 * validation.accuracy).toFixed(0)} % of the pictures held back are told right`)
  find('save').href = URL.createObjectURL(new Blob([await applyPatch(network, trainer.patch())]))
  find('save').hidden = false
  find('which').disabled = false
  find('which').onchange = async ({ target }) => {
    const [first, second] = await trainer.predict(await pixelsOf(target.files[0]))
    say(`first ${first.toFixed(4)}\nsecond ${second.toFixed(4)}`)
  }
}

find('train').onclick = () => train().catch(error => say(error.message))
