// A process that starts one engine cold, runs it once, and prints what that took (fresh.ts starts it).
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Feed, prepare } from './engine.js'
import { importEngine } from './engines.js'
import type { Errand, Fresh } from './fresh.js'
import { peakBytes } from './peak-bytes.js'

const folder = process.argv[2]
const errand: Errand = JSON.parse(readFileSync(join(folder, 'errand.json'), 'utf8'))

const arrays: Readonly<Record<string, new (buffer: ArrayBuffer) => Feed['data']>> = {
  float32: Float32Array,
  float16: Uint16Array,
  float64: Float64Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int16: Int16Array,
  uint16: Uint16Array,
  uint8: Uint8Array,
  int8: Int8Array,
  bool: Uint8Array
}
const feeds = errand.feeds.map((feed, i) => {
  const bytes = new Uint8Array(readFileSync(join(folder, `feed${i}`)))
  return { ...feed, data: new arrays[feed.type](bytes.buffer) }
})

await prepare(errand.engine)
const began = performance.now()
const engine = await importEngine(errand.engine)
const imported = performance.now()
const path = join(folder, 'model')
const model = engine.readsFiles ? path : new Uint8Array(readFileSync(path))
const opened = await engine.open(model, feeds, errand.options)
const loaded = performance.now()
await opened.run()
const done = performance.now()
const result: Fresh = {
  import: imported - began,
  load: loaded - imported,
  firstRun: done - loaded,
  total: done - began,
  peakBytes: peakBytes()
}
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0))
