// What an engine is asked to do with a model that is a module: its own check, and how long the first run and later ones take.
// In Node and its like `trial.js FILE`; in pages and workers the same function, given to them as text.

/** What an engine found out. */
export interface Found {
  /** What the module's check returned: 0 where every layer is right. */
  readonly check: number
  /** Milliseconds from bytes, or from what the host has compiled, to the first result. */
  readonly first: number
  /** The least of several later runs. */
  readonly run: number
}

/** The same of a session: milliseconds from bytes to its first result. Tensors of 0.5. */
export async function triedSession(
  { InferenceSession, Tensor }: typeof import('../../runtime/index.js'),
  bytes: Uint8Array<ArrayBuffer>,
  shapes: Readonly<Record<string, readonly number[]>>
): Promise<Pick<Found, 'first'>> {
  const began = performance.now()
  const session = await InferenceSession.create(bytes, { executionProviders: ['wasm'], numThreads: 1 })
  const feeds = Object.entries(shapes).map(([name, dims]) => {
    const data = new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(0.5)
    return [name, new Tensor('float32', data, dims)]
  })
  await session.run(Object.fromEntries(feeds))
  return { first: performance.now() - began }
}

type Instantiate = typeof import('../../runtime/standalone.js').instantiate

export async function tried(instantiate: Instantiate, source: BufferSource | WebAssembly.Module): Promise<Found> {
  const began = performance.now()
  const { inputs, exports } = await instantiate(source)
  const fill = () => {
    for (const { at, length } of inputs) new Float32Array(exports.memory.buffer, at, length).fill(0.5)
  }
  fill()
  exports.run()
  const first = performance.now() - began
  let run = Number.POSITIVE_INFINITY
  for (let i = 0; i < 20; i++) {
    fill()
    const start = performance.now()
    exports.run()
    run = Math.min(run, performance.now() - start)
  }
  return { check: exports.check!(), first, run }
}
