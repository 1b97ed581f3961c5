import '../../shaders/later/bytes.js'
import '../../shaders/later/more.js'

export { type Dawn, findAdapter, loadDawn, preload } from './device/dawn.js'
export { isImitation } from './device/device.js'
export { Pipelines } from './pipelines.js'
export { blockOf, type GpuCall, operandOf, programOf } from './program.js'
export { planBanks } from './weights.js'
