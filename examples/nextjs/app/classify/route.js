// The same on the server: POST 784 bytes, 28 rows of 28 pixels, and get the scores of the ten classes.
import { InferenceSession, Tensor } from 'cairnjs'

const loading = InferenceSession.create('public/clothes.cairn')

export async function POST(request) {
  const bytes = new Uint8Array(await request.arrayBuffer())
  if (bytes.length !== 28 * 28)
    return Response.json({ error: `${bytes.length} bytes; 784 are needed` }, { status: 400 })
  const session = await loading
  const input = new Tensor(
    'float32',
    Float32Array.from(bytes, byte => byte / 255),
    [1, 1, 28, 28]
  )
  const { probabilities } = await session.run({ input })
  return Response.json([...probabilities.data])
}
