import type * as OrtNode from 'onnxruntime-node'
import type * as OrtWeb from 'onnxruntime-web'
import type { Feed } from './engine.js'

type Ort = typeof OrtNode | typeof OrtWeb

/** A session of onnxruntime's on inputs that stay the same, in Node or in a page. */
export function opened(ort: Ort, session: OrtWeb.InferenceSession | OrtNode.InferenceSession, feeds: readonly Feed[]) {
  const given = Object.fromEntries(
    feeds.map(({ name, type, data, dims }) => [name, new ort.Tensor(type as 'float32', data as Float32Array, dims)])
  )
  return {
    async run() {
      const results = await session.run(given)
      return session.outputNames.map(name => {
        const { dims, type, data } = results[name]
        return { name, dims, type, data: data as Float32Array }
      })
    },
    release: () => session.release()
  }
}
