/** Samples at 16 kHz of something like speech: pulses of a voice through three resonances, in syllables, between silences. */
export function speech(seconds = 4) {
  const rate = 16000
  const samples = new Float32Array(rate * seconds)
  const vowels = [
    [730, 1090, 2440],
    [270, 2290, 3010],
    [570, 840, 2410]
  ]
  let state = 1
  const noise = () => (state = (state * 16807) % 2147483647) / 2147483647 - 0.5
  let phase = 0
  const memory = [0, 0, 0, 0, 0, 0]
  for (let i = 0; i < samples.length; i++) {
    const time = i / rate
    const syllable = time * 4
    const voiced = time > 1 && time < seconds - 1 ? Math.max(0, Math.sin(Math.PI * (syllable % 1))) : 0
    phase += (120 + 20 * Math.sin(2 * Math.PI * 0.7 * time)) / rate
    let sample = noise() * 0.02 * (0.05 + voiced)
    if (phase >= 1) {
      phase -= 1
      sample += voiced
    }
    const formants = vowels[Math.floor(syllable) % vowels.length]
    let sum = 0
    for (const [n, frequency] of formants.entries()) {
      const radius = Math.exp((-Math.PI * 90) / rate)
      const [a, b] = [memory[2 * n], memory[2 * n + 1]]
      const next = sample + 2 * radius * Math.cos((2 * Math.PI * frequency) / rate) * a - radius * radius * b
      memory[2 * n + 1] = a
      memory[2 * n] = next
      sum += next
    }
    samples[i] = Math.max(-1, Math.min(1, 0.12 * sum))
  }
  return samples
}
