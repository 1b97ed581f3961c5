import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type * as Tf from '@tensorflow/tfjs-core'
import { build } from 'esbuild'

export interface Tfjs {
  readonly tf: typeof Tf
  /** A kernel that its WebAssembly backend has not got and was given. */
  readonly lent: string | undefined
}

/**
 * TensorFlow.js with its gradients and its backends in WebAssembly and in plain JavaScript. Node cannot import the gradients,
 * which are only there as modules for bundlers, so this bundles what a page that trains would bundle.
 */
export async function tfjsForTraining(): Promise<Tfjs> {
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
  return { tf, lent: lendFilterGradient(tf) }
}

/**
 * The gradient of a filter as a convolution of the input with the output's gradient, images and channels having changed
 * places, for convolutions without strides and padding: what a user could write to train on WebAssembly.
 */
function lendFilterGradient(tf: typeof Tf): string | undefined {
  const kernelName = 'Conv2DBackpropFilter'
  if (tf.getKernel(kernelName, 'wasm')) return undefined
  const kernelFunc: Tf.KernelFunc = ({ inputs }) => {
    const { x, dy } = inputs as Record<string, Tf.Tensor4D>
    return tf.tidy(() => {
      const gradient = tf.conv2d(tf.transpose(x, [3, 1, 2, 0]), tf.transpose(dy, [1, 2, 0, 3]), 1, 'valid')
      return tf.transpose(gradient, [1, 2, 0, 3])
    })
  }
  tf.registerKernel({ kernelName, backendName: 'wasm', kernelFunc })
  return kernelName
}
