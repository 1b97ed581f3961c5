// Puts beside the page what it loads: runtime, compiler and training as one file with its WebAssembly, and a network.
import { cpSync } from 'node:fs'

const from = 'node_modules/cairnjs/dist'
for (const file of ['cairn-full.min.js', 'cairn.wasm', 'cairn-relaxed.wasm'])
  cpSync(`${from}/runtime/${file}`, `cairn/${file}`)
cpSync(`${from}/web/starter/clothes.onnx`, 'clothes.onnx')
