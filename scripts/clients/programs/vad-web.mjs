import { NonRealTimeVAD } from '@ricky0123/vad-web'
import { speech } from './audio.mjs'

export default async place => {
  const frames = []
  const vad = await NonRealTimeVAD.new({
    modelURL: place('../modules/@ricky0123/vad-web/dist/silero_vad_legacy.onnx'),
    ortConfig: ort => {
      ort.env.wasm.wasmPaths = place('../modules/onnxruntime-web/dist/')
    }
  })
  const { modelProcessFunc } = vad.frameProcessor
  vad.frameProcessor.modelProcessFunc = async frame => {
    const scores = await modelProcessFunc(frame)
    frames.push(scores.isSpeech)
    return scores
  }
  const segments = []
  for await (const { start, end } of vad.run(speech(), 16000)) segments.push([start, end])
  return { frames, segments }
}
