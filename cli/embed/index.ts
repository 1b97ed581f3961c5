export { type Layout, mapHtml, type Place } from './map.js'
export { neighbourhood } from './neighbourhood.js'
export { principal } from './principal.js'
