import { defineConfig } from 'vite'

export default defineConfig({
  base: './',
  build: { target: 'es2022' },
  // The dev server would move the package's JavaScript away from its .wasm files.
  optimizeDeps: { exclude: ['cairnjs'] }
})
