export { type IndexEntry, Repository, type RepositoryOptions } from './repository.js'
export { scan } from './scan.js'
export { checkInference, metadataOf, type Served, type TensorMetadata } from './served.js'
