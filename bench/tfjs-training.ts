import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type * as Tf from '@tensorflow/tfjs-core'
import { build } from 'esbuild'

/**
 * TensorFlow.js with its gradients and its backends in WebAssembly and in plain JavaScript. Node cannot import the gradients,
 * which are only there as modules for bundlers, so this bundles what a page that trains would bundle.
 */
export async function tfjsForTraining(): Promise<typeof Tf> {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-tfjs-'))
  const outfile = join(folder, 'tfjs.cjs')
  await build({
    stdin: {
      contents: `
        export * from '@tensorflow/tfjs-core'
        export { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
        import '@tensorflow/tfjs-core/dist/register_all_gradients'
        import '@tensorflow/tfjs-backend-cpu'`,
      resolveDir: dirname(fileURLToPath(import.meta.url))
    },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    mainFields: ['module', 'main'],
    logLevel: 'error'
  })
  const require = createRequire(import.meta.url)
  const { setWasmPaths, ...tf } = require(outfile)
  rmSync(folder, { recursive: true })
  setWasmPaths(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + sep)
  tf.enableProdMode()
  return tf
}
