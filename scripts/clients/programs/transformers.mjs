import { env, pipeline } from '@huggingface/transformers'

export default async place => {
  env.allowRemoteModels = false
  env.localModelPath = place('')
  const classify = await pipeline('image-classification', 'squeezenet', { dtype: 'fp32' })
  return classify(place('photo.png'), { top_k: 5 })
}
