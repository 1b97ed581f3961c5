/**
 * Waits for what only the engine works on, the compiling of WebAssembly above all. Nothing of Node's event loop is alive
 * meanwhile, and with an empty loop Node up to 22 sleeps until the engine's own threads have ended; if one of these asks
 * the sleeper for a garbage collection, both wait for ever (nodejs/node#47452, #54918). A timer keeps the loop awake.
 */
export async function held<T>(pending: Promise<T>): Promise<T> {
  const timer = setInterval(() => undefined, 2 ** 30)
  try {
    return await pending
  } finally {
    clearInterval(timer)
  }
}
