// The site of the documents. It asks nobody but its own server for anything: search and fonts are its own.
const slugify = text =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
    .replaceAll(' ', '-')

const guide = (text, name) => ({ text, link: `/docs/${name}` })

export default {
  title: 'Cairn',
  description: 'ONNX convolutional networks, compiled ahead of time, for browsers and Node',
  srcDir: '../dist/docs-source',
  outDir: '../dist/docs',
  cacheDir: '../dist/.cache/vitepress',
  rewrites: { 'README.md': 'index.md' },
  cleanUrls: false,
  lastUpdated: false,
  markdown: { anchor: { slugify } },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Guides', link: '/docs/sessions' },
      { text: 'API', link: '/api/' }
    ],
    sidebar: [
      {
        text: 'Use',
        items: [
          { text: 'Start', link: '/' },
          guide('Sessions and tensors', 'sessions'),
          guide('In the browser', 'browser'),
          guide('Node and bundlers', 'node'),
          guide('One model, one .wasm', 'standalone'),
          guide('Moving to Cairn', 'onnxruntime'),
          guide('WebGPU', 'webgpu'),
          guide('The command line', 'cli'),
          guide('The browser page', 'page'),
          guide('Training', 'training'),
          guide('Quantising', 'quantising'),
          guide('Untrusted files', 'untrusted-files'),
          guide('Troubleshooting', 'troubleshooting')
        ]
      },
      {
        text: 'Look up',
        items: [
          { text: 'API reference', link: '/api/' },
          guide('Operators and limits', 'operators'),
          guide('Models', 'models'),
          guide('Lectures’ examples', 'lectures'),
          guide('Numerics', 'numerics'),
          guide('Accuracy in 8 bits', 'quantised-accuracy'),
          guide('File format', 'format'),
          guide('Members of onnxruntime', 'onnxruntime-members'),
          guide('Benchmarks', 'benchmarks')
        ]
      },
      {
        text: 'Change',
        items: [
          { text: 'Architecture', link: '/ARCHITECTURE' },
          { text: 'Kernels of the CPU', link: '/asm/README' },
          guide('Development', 'development')
        ]
      }
    ]
  }
}
