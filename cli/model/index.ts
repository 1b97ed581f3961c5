export { unpacked } from './archive.js'
export { type Classes, classesOf, mayHoldClasses, probabilitiesOf } from './classes.js'
export { difference } from './difference.js'
export { type Arithmetic, arithmeticOf, arithmeticText, stepsOf } from './eight-bits.js'
export {
  externalDataOf,
  fileNameOf,
  type Given,
  importOf,
  type ModelFile,
  modelOf,
  patched,
  patchOption,
  readBytes,
  readFirst,
  readModel,
  readPatch,
  readyFor,
  refuseOther,
  unwritable,
  withGiven,
  writeWhole
} from './files.js'
export { halfBits, halvesAsBits, nearestHalves } from './halves.js'
export { labelsOf, labelsOption, namesFor, ownClasses } from './labels.js'
export {
  about,
  type BuiltModel,
  bindDims,
  buildModel,
  decodeModel,
  describeBindings,
  describeFree,
  describeOutputs,
  describePort,
  fileOf,
  headOf,
  memoryOf,
  openSession,
  shapeAt
} from './model.js'
export { encodeNpy } from './npy.js'
export { toNumbers } from './numbers.js'
export { exposeValues } from './protobuf.js'
export { fetchHead, isUrl } from './remote.js'
export { givenOf, givenOptions, settingFeeds } from './settings.js'
export { missingInputs, rangeOf, readInputs, readNpy, withRandom } from './tensors.js'
