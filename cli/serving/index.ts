export { apiOptions } from './flags.js'
export { serveApi } from './serve-api.js'
