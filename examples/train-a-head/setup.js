// Puts beside the page what it loads: the runtime, compiler and training, the WebAssembly, and a network.
import { cpSync } from 'node:fs'

const runtime = new URL('.', import.meta.resolve('cairnjs/cairn-full.min.js'))
for (const file of [
  'cairn.min.js',
  'cairn-full.min.js',
  'cairn.wasm',
  'cairn-relaxed.wasm',
  'cairn-more.wasm',
  'cairn-more-relaxed.wasm'
])
  cpSync(new URL(file, runtime), `cairn/${file}`)
cpSync('node_modules/cairnjs/dist/web/starter/clothes.onnx', 'clothes.onnx')
