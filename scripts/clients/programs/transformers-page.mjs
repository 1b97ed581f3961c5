import { env, pipeline } from '@huggingface/transformers'

export default async place => {
  env.allowRemoteModels = false
  env.allowLocalModels = true
  env.localModelPath = new URL(place('')).pathname
  // Where onnxruntime's own files would be; by default at a CDN.
  env.backends.onnx.wasm.wasmPaths = place('../modules/onnxruntime-web/dist/')
  const classify = await pipeline('image-classification', 'squeezenet', { dtype: 'fp32', device: 'wasm' })
  return classify(place('photo.png'), { top_k: 5 })
}
