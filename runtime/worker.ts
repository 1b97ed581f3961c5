import {
  type BoundCall,
  Control,
  grain,
  type Kernel,
  listen,
  type Membership,
  readTable,
  type ThreadExports
} from './cpu/index.js'

/**
 * A thread of a session. Having been told what it belongs to it waits for runs, and comes back to its event loop when there
 * will be none. The build makes one file of it and all that it imports.
 */
listen((message, answer) => {
  const { module, memory, index, count, kernels, table, calls } = message as Membership
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  const threads = exports as unknown as ThreadExports
  const known = kernels.map(name => exports[name] as Kernel)
  const control = new Control(memory)
  threads.enter(index, count, grain)
  let bound: readonly BoundCall[] = []
  let version = 0
  let runs = 0
  answer('ready')
  for (;;) {
    runs = threads.nextRun(runs)
    if (control.ended) return
    if (version !== control.version) {
      version = control.version
      bound = readTable(new Int32Array(memory.buffer, table), calls, known)
    }
    const { observed } = control
    for (let at = 0; at < calls; at++) {
      control.make(bound[at], at)
      threads.meet(count, true, true)
      if (observed) threads.meet(count, true, true)
    }
  }
})
