/** Workers of browsers, Deno and Bun, and those of Node, behind one face: this side, and theirs. */
export interface Spawned {
  post(message: unknown, transfer?: ArrayBuffer[]): void
  /** While a worker is held it keeps a Node process alive. */
  hold(held: boolean): void
  end(): Promise<void>
}

export interface Listener {
  message(data: unknown): void
  /** The worker failed, or is gone without having been ended. */
  failed(why: string): void
}

const nodeWorkers = () => globalThis.process?.getBuiltinModule?.('node:worker_threads')

export function mayUseWorkers(): boolean {
  return typeof Worker === 'function' || nodeWorkers() !== undefined
}

/** The same file twice: bundlers look for `new Worker` and the URL in one expression. */
export function spawn(inBrowser: () => Worker, inNode: URL, listener: Listener): Spawned {
  return typeof Worker === 'function' ? spawnWeb(inBrowser(), listener) : spawnNode(inNode, listener)
}

function spawnWeb(worker: Worker, { message, failed }: Listener): Spawned {
  worker.onmessage = event => message(event.data)
  worker.onerror = event => {
    event.preventDefault()
    failed(event.message || 'its script cannot be loaded')
  }
  return {
    post: (data, transfer = []) => worker.postMessage(data, transfer),
    hold() {},
    end: async () => worker.terminate()
  }
}

function spawnNode(file: URL, { message, failed }: Listener): Spawned {
  // The options of the process, loaders and inspectors among them, are not the worker's.
  const worker = new (nodeWorkers()!.Worker)(file, { execArgv: [] })
  let ended = false
  worker.on('message', message)
  worker.on('error', error => failed((error as Error).message))
  worker.on('exit', code => ended || failed(`exit code ${code}`))
  return {
    post: (data, transfer = []) => worker.postMessage(data, transfer),
    hold: held => (held ? worker.ref() : worker.unref()),
    async end() {
      ended = true
      await worker.terminate()
    }
  }
}

/** In a worker: hears what is posted to it, and answers. */
export function listen(heard: (message: unknown, answer: Answer) => void): void {
  if (typeof globalThis.postMessage === 'function') {
    self.onmessage = event => heard(event.data, (answer, transfer = []) => self.postMessage(answer, { transfer }))
  } else {
    const port = nodeWorkers()!.parentPort!
    port.on('message', message => heard(message, (answer, transfer = []) => port.postMessage(answer, transfer)))
  }
}

export type Answer = (message: unknown, transfer?: ArrayBuffer[]) => void
