import { InferenceSession, type Scored } from 'cairnjs'

const labels = ['T-shirt', 'trousers', 'pullover', 'dress', 'coat', 'sandal', 'shirt', 'sneaker', 'bag', 'ankle boot']
const session = await InferenceSession.create('clothes.cairn')

async function classify(file: Blob): Promise<Scored[]> {
  const picture = await createImageBitmap(file)
  const options = { width: 28, height: 28, stretch: true, channels: 'GRAY', scale: 1 / 255 } as const
  const input = await session.imageTensor(picture, options)
  const [best] = await session.top({ input }, { count: 3 })
  return best
}

const chooser = document.querySelector('input')!
chooser.addEventListener('change', async () => {
  const best = await classify(chooser.files![0])
  const lines = best.map(({ index, score }) => `${labels[index]} ${score.toFixed(4)}`)
  document.querySelector('pre')!.textContent = lines.join('\n')
})
chooser.disabled = false
