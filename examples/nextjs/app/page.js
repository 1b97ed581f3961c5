'use client'
import { InferenceSession } from 'cairnjs'
import { useEffect, useState } from 'react'

const labels = ['T-shirt', 'trousers', 'pullover', 'dress', 'coat', 'sandal', 'shirt', 'sneaker', 'bag', 'ankle boot']

export default function Page() {
  const [session, setSession] = useState()
  const [lines, setLines] = useState('')
  useEffect(() => {
    const loading = InferenceSession.create('/clothes.cairn')
    loading.then(setSession, error => setLines(error.message))
    return () => loading.then(session => session.release())
  }, [])

  async function classify({ target }) {
    const picture = await createImageBitmap(target.files[0])
    const options = { width: 28, height: 28, stretch: true, channels: 'GRAY', scale: 1 / 255 }
    const input = await session.imageTensor(picture, options)
    const [best] = await session.top({ input }, { count: 3 })
    setLines(best.map(({ index, score }) => `${labels[index]} ${score.toFixed(4)}`).join('\n'))
  }

  return (
    <main>
      <input type="file" accept="image/*" disabled={!session} onChange={classify} />
      <pre>{lines}</pre>
    </main>
  )
}
