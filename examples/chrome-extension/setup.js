// Puts into the extension what it loads: the runtime as one file with its WebAssembly, and the compiled model.
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { compile } from 'cairnjs/compiler'

const runtime = new URL('.', import.meta.resolve('cairnjs/cairn.min.js'))
for (const file of ['cairn.min.js', 'cairn.wasm', 'cairn-relaxed.wasm']) cpSync(new URL(file, runtime), `cairn/${file}`)
const model = readFileSync('node_modules/cairnjs/dist/web/starter/clothes.onnx')
writeFileSync('clothes.cairn', await compile(model))
