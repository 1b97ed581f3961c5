import { CairnError } from '../base/index.js'

/** Workers of browsers, and those of Node, which Deno and Bun have too, behind one face: this side, and theirs. */
export interface Spawned {
  post(message: unknown, transfer?: ArrayBuffer[]): void
  /** While a worker is held it keeps the process alive; a browser's are not asked. */
  hold(held: boolean): void
  end(): Promise<void>
}

export interface Listener {
  message(data: unknown): void
  /** The worker failed, or is gone without having been ended. */
  failed(why: string): void
}

/**
 * Where an engine has both kinds, Node's are taken: only these can let the process end (Deno's others cannot). A window
 * that has Node's modules, as Electron's may, cannot start them; one that a test runner imitates has no others. Cloudflare's are
 * a shape without a thread in it.
 */
const nodeWorkers = () =>
  (typeof document === 'undefined' || typeof Worker === 'undefined') &&
  globalThis.navigator?.userAgent !== 'Cloudflare-Workers'
    ? globalThis.process?.getBuiltinModule?.('node:worker_threads')
    : undefined

export function mayUseWorkers(): boolean {
  return nodeWorkers() !== undefined || typeof Worker === 'function'
}

/** Whether sessions may have threads: where there are workers, and memory to share with them. */
export const mayShare = (): boolean =>
  typeof SharedArrayBuffer === 'function' && globalThis.crossOriginIsolated !== false && mayUseWorkers()

/** The same file twice: bundlers look for `new Worker` and the URL in one expression. */
export function spawn(inBrowser: () => Worker, inNode: () => URL | undefined, listener: Listener): Spawned {
  return nodeWorkers() ? spawnNode(inNode(), listener) : spawnWeb(inBrowser(), listener)
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

function spawnNode(file: URL | undefined, { message, failed }: Listener): Spawned {
  if (!file) throw new CairnError('this engine does not know where the scripts of workers are')
  // As a path, because another realm's URL is none to Node. The options of the process, loaders and inspectors among them,
  // are not the worker's.
  const path = globalThis.process?.getBuiltinModule?.('node:url').fileURLToPath(String(file))
  const worker = new (nodeWorkers()!.Worker)(path, { execArgv: [] })
  let ended = false
  worker.on('message', message)
  worker.on('error', error => {
    const missing = /MODULE_NOT_FOUND$/.test((error as NodeJS.ErrnoException).code ?? '')
    failed(missing ? `there is no ${path}; copy it there from dist/runtime of the package` : (error as Error).message)
  })
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
  const port = nodeWorkers()?.parentPort
  if (port) port.on('message', message => heard(message, (answer, transfer = []) => port.postMessage(answer, transfer)))
  else self.onmessage = event => heard(event.data, (answer, transfer = []) => self.postMessage(answer, { transfer }))
}

export type Answer = (message: unknown, transfer?: ArrayBuffer[]) => void
