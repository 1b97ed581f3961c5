export { type Datatype, datatypeOf, readDatatype, typeOf } from './datatypes.js'
export { type Fault, invalid, ServingError, servingError } from './errors.js'
export { type Answer, type JsonInference, parseJson, readInference, timeoutOf, writeAnswer } from './json.js'
export { elementsOf, fromBytes, fromJson, type Inference, readShape, short, type Wire } from './tensors.js'
