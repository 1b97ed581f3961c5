import { registerBackend } from '../backend/index.js'
import { webgpuBackend } from './webgpu.js'
import '../../shaders/later/bytes.js'
import '../../shaders/later/more.js'

/** `cairnjs/webgpu`: WebGPU's code from the start, for scripts that may not load any later, as service workers. */
registerBackend(webgpuBackend)
