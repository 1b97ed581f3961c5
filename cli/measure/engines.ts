import type { Engine, EngineName } from './engine.js'

/** Imports the engine's module, and with it the runtime. */
export async function importEngine(name: EngineName): Promise<Engine> {
  switch (name) {
    case 'cairn':
      return (await import('./cairn.js')).cairn
    case 'ort-web':
      return (await import('./ort.js')).ortWeb()
    case 'ort-node':
      return (await import('./ort.js')).ortNode()
    case 'ort-webgpu':
      return (await import('./ort.js')).ortWebGpu()
    case 'tfjs':
      return (await import('./tfjs/tfjs.js')).tfjs()
  }
}
