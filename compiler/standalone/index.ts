/** What is known of modules without Binaryen, which ./make.ts brings; ./register.ts is what programs import for it. */

export type { Features } from './kernels.js'
export { type Standalone, type StandalonePort, standaloneOf } from './metadata.js'
export { moduleIn } from './wasm/component.js'
export { exportsOf } from './wasm/sections.js'
export { witOf } from './wit.js'
export { declarationsOf, headerOf } from './write.js'
