import '../../shaders/later/bytes.js'
import '../../shaders/later/more.js'

export { type Dawn, findAdapter, loadDawn, preload } from './device/dawn.js'
export { isImitation } from './device/device.js'
export { curveOf, Pipelines } from './pipelines.js'
export { blockOf, type GpuCall, operandOf } from './program/call.js'
export { programOf, withScratch } from './program/program.js'
export { heldOf, planBanks } from './weights.js'
