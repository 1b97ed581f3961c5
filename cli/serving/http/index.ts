export { authoriser, type HttpOptions, httpApp } from './app.js'
