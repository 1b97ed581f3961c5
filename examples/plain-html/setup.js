// Puts beside the page what it loads: the runtime as one file with its WebAssembly, and the compiled model.
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { compile } from 'cairnjs/compiler'

const from = 'node_modules/cairnjs/dist'
for (const file of ['cairn.min.js', 'cairn.wasm', 'cairn-relaxed.wasm'])
  cpSync(`${from}/runtime/${file}`, `cairn/${file}`)
writeFileSync('clothes.cairn', await compile(readFileSync(`${from}/web/starter/clothes.onnx`)))
