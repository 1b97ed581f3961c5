// POST 784 bytes, 28 rows of 28 pixels from 0 to 255, and get the three likeliest kinds of clothing.
import { InferenceSession, Tensor, topK } from 'cairnjs'
import model from '../clothes.cairn'

const labels = ['T-shirt', 'trousers', 'pullover', 'dress', 'coat', 'sandal', 'shirt', 'sneaker', 'bag', 'ankle boot']
const session = await InferenceSession.create(model)

export default {
  async fetch(request) {
    const bytes = new Uint8Array(await request.arrayBuffer())
    if (bytes.length !== 28 * 28) return new Response(`${bytes.length} bytes; 784 are needed\n`, { status: 400 })
    const input = new Tensor(
      'float32',
      Float32Array.from(bytes, byte => byte / 255),
      [1, 1, 28, 28]
    )
    const { probabilities } = await session.run({ input })
    return Response.json(topK(probabilities.data, 3).map(({ index, score }) => ({ label: labels[index], score })))
  }
}
