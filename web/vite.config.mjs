// Builds the page into dist/web, for any server and any folder of it. Needs dist/runtime and dist/compiler.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** The page imports this package as its users do; ONNX's schema, which the zoo writes, is made when building. */
const own = () => ({
  name: 'cairn',
  enforce: 'pre',
  resolveId(id) {
    if (/^cairn(\/|$)/.test(id)) return join(root, exports[`.${id.slice('cairn'.length)}`].default)
    return id.endsWith('/schema/onnx.js') ? join(root, 'dist', 'schema', 'onnx.js') : undefined
  }
})

export default {
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  logLevel: 'warn',
  plugins: [own()],
  worker: { format: 'es', plugins: () => [own()] },
  build: {
    outDir: join(root, 'dist', 'web'),
    emptyOutDir: true,
    target: 'es2022',
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // The page's policy allows no data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false
  }
}
