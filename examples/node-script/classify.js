// node classify.js PICTURE.png …: the three likeliest kinds of clothing for each picture.
import { readFileSync } from 'node:fs'
import { InferenceSession } from 'cairnjs'
import { PNG } from 'pngjs'

const labels = ['T-shirt', 'trousers', 'pullover', 'dress', 'coat', 'sandal', 'shirt', 'sneaker', 'bag', 'ankle boot']
const session = await InferenceSession.create('clothes.cairn')
for (const file of process.argv.slice(2)) {
  const picture = PNG.sync.read(readFileSync(file)) // { width, height, data }: rows of RGBA bytes
  const input = await session.imageTensor(picture, {
    ...{ width: 28, height: 28, stretch: true }, // the size that the model takes
    ...{ channels: 'GRAY', scale: 1 / 255 } // one channel, from 0 to 1
  })
  const [best] = await session.top({ input }, { count: 3 })
  for (const { index, score } of best) console.log(`${labels[index]} ${score.toFixed(4)}`)
}
await session.release()
