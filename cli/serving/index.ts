export { apiOptions } from './flags.js'
export { needPeers } from './peers.js'
export { serveApi } from './serve-api.js'
