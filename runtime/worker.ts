import {
  type Barrier,
  type BoundCall,
  Control,
  type Entrance,
  grain,
  type Kernel,
  listen,
  type Membership,
  readTable
} from './cpu/index.js'

/**
 * A thread of a session. Having been told what it belongs to it waits for runs, and comes back to its event loop when there
 * will be none. The build makes one file of it and all that it imports.
 */
listen((message, answer) => {
  const { module, barrier, memory, index, count, kernels, table, calls } = message as Membership
  const imports = { env: { memory } }
  const { exports } = new WebAssembly.Instance(module, imports)
  const threads = new WebAssembly.Instance(barrier, imports).exports as unknown as Barrier
  const known = kernels.map(name => exports[name] as Kernel)
  const control = new Control(memory)
  ;(exports as unknown as Entrance).enter(index, count, grain)
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
