// Does what the page does, in a worker.
import { perform } from './perform.js'

self.onmessage = ({ data }) =>
  perform(data).then(
    () => self.postMessage(''),
    error => self.postMessage(String(error))
  )
