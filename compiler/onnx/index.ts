export { emitOnnx } from './emit.js'
export { besides, fetchExternal } from './external.js'
export { type FileKind, kindOf } from './kinds.js'
export {
  constantInputs,
  type Declared,
  type DeclaredPort,
  type DeclaredSize,
  declaredPorts,
  unsetSettings
} from './ports.js'
export { decodePlainModel, type ImportOptions, importOnnx } from './read.js'
export type { Settings, SettingTensor, SettingValue } from './settings.js'
export { decodeElements, dtypeNames } from './tensor-proto.js'
export { classesOf, logitsOutput, type NewTensor, probabilitiesOutput, writeHead } from './write.js'
