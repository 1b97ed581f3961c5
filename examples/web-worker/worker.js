// The model lives here, so the page stays responsive while it loads and runs.
import { InferenceSession } from 'cairnjs'

const loading = InferenceSession.create(new URL('clothes.cairn', self.location.origin))

self.addEventListener('message', async ({ data: picture }) => {
  try {
    const session = await loading
    const options = { width: 28, height: 28, stretch: true, channels: 'GRAY', scale: 1 / 255 }
    const input = await session.imageTensor(picture, options)
    const [best] = await session.top({ input }, { count: 3 })
    self.postMessage({ best })
  } catch (error) {
    self.postMessage({ error: error.message })
  }
})
