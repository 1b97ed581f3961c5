import { defineConfig } from 'vite'

export default defineConfig({
  build: { target: 'es2022' },
  // Parts of the runtime are loaded when they are asked for, which takes modules in the worker too.
  worker: { format: 'es' },
  optimizeDeps: { exclude: ['cairnjs'] }
})
