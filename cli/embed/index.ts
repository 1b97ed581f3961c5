export { mapHtml } from './map.js'
export { principal } from './principal.js'
