// POST a PNG, get the three likeliest kinds of clothing as JSON. One session serves all requests: runs queue.
import { createServer } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { InferenceSession } from 'cairnjs'
import { PNG } from 'pngjs'

const labels = ['T-shirt', 'trousers', 'pullover', 'dress', 'coat', 'sandal', 'shirt', 'sneaker', 'bag', 'ankle boot']
const session = await InferenceSession.create('clothes.cairn')

async function classify(png) {
  const options = { width: 28, height: 28, stretch: true, channels: 'GRAY', scale: 1 / 255 }
  const input = await session.imageTensor(PNG.sync.read(png), options)
  const [best] = await session.top({ input }, { count: 3 })
  return best.map(({ index, score }) => ({ label: labels[index], score }))
}

const server = createServer(async (request, response) => {
  const answer = (status, body) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  if (request.method !== 'POST') return answer(405, { error: 'POST a PNG' })
  try {
    answer(200, await classify(await buffer(request)))
  } catch (error) {
    answer(400, { error: error.message })
  }
})
server.listen(process.env.PORT ?? 3000, () => console.log(`http://localhost:${server.address().port}`))
