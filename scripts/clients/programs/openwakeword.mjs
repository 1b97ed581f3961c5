// The package's dist/ holds a copy of onnxruntime-web, which no override reaches; its sources, which it ships too, import it.
import { Model } from '../node_modules/openwakeword-js/src/index.ts'
import { speech } from './audio.mjs'

export default async place => {
  // Its history begins with noise.
  let state = 1
  Math.random = () => (state = (state * 16807) % 2147483647) / 2147483647
  const models = place('../modules/openwakeword-js/models/')
  const words = new Model({
    wakewordModels: [`${models}hello_deepa.onnx`, `${models}namaste_deepa.onnx`],
    melspectrogramModelPath: place('melspectrogram.onnx'),
    embeddingModelPath: place('embedding.onnx'),
    inferenceFramework: 'onnx',
    wasmPaths: place('../modules/onnxruntime-web/dist/')
  })
  await words.init()
  const samples = speech()
  const scores = []
  for (let at = 0; at + 1280 <= samples.length; at += 1280)
    scores.push(await words.predict(samples.subarray(at, at + 1280)))
  return scores
}
