export { type ModuleRequest, moduleOf, moduleOptions, moduleRequestOf, writeModule } from './compile.js'
export { inspectModule } from './inspect.js'
export { type ModelModule, moduleAt, openModule, refuseFlags } from './module.js'
export { verifyModule } from './verify.js'
