// What esbuild makes of packages and of the compiled code: ONNX's schema as one module, and the runtime as one file.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const packages = ['onnx-proto', 'protobufjs', 'long']

/** Parts of each message that nothing here calls, as onnx-proto's generator writes them. */
const unused =
  /^( +)[\w.]+\.(?:verify|fromObject|toObject|toJSON|encodeDelimited|decodeDelimited) = function .*\n[\s\S]*?^\1\};\n/gm

const lean = {
  name: 'lean',
  setup: ({ onLoad }) =>
    onLoad({ filter: /[/\\]onnx-proto[/\\]dist[/\\]onnx\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(unused, '')
    }))
}

async function bundle(contents, resolveDir, options) {
  const { build } = await import('esbuild')
  await build({
    stdin: { contents, resolveDir },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'warning',
    ...options
  })
}

export const schemaInputs = [
  ...packages.map(name => join(root, 'node_modules', name, 'package.json')),
  ...['schema/onnx.d.ts', 'schema/inference.proto', 'scripts/bundle.mjs'].map(file => join(root, file))
]

/**
 * dist/schema/onnx.js: onnx-proto on the protobufjs of this package, so that users' programs have neither. Whole numbers of 64
 * bits are `Long`, in every host.
 */
export async function bundleSchema() {
  const target = join(root, 'dist', 'schema')
  await bundle(`export { default } from 'onnx-proto'`, root, {
    banner: { js: '// onnx-proto, protobufjs and long as one module; see licences.txt' },
    alias: { 'protobufjs/minimal': join(root, 'node_modules', 'protobufjs', 'minimal.js') },
    plugins: [lean],
    outfile: join(target, 'onnx.js')
  })
  mkdirSync(target, { recursive: true })
  for (const file of ['onnx.d.ts', 'inference.proto']) copyFileSync(join(root, 'schema', file), join(target, file))
  // The package has the text of the Apache License once.
  const termsOf = text => text.replace(/\s+/g, ' ').match(/TERMS AND CONDITIONS .* END OF TERMS AND CONDITIONS/)?.[0]
  const apache = termsOf(readFileSync(join(root, 'LICENSE'), 'utf8'))
  const licence = name => {
    const text = readFileSync(join(root, 'node_modules', name, 'LICENSE'), 'utf8').trim()
    const own = apache && termsOf(text) === apache ? 'Apache License, Version 2.0: see LICENSE of this package' : text
    return `${name}\n\n${own}\n`
  }
  writeFileSync(join(target, 'licences.txt'), packages.map(licence).join(`\n${'-'.repeat(72)}\n\n`))
}

/**
 * Modules that a page loads. They lie beside the .wasm files and the workers' scripts, which they ask for there. Each takes from
 * those before it what they hold.
 */
const pages = {
  'cairn.min': ['./index.js'],
  'cairn-full.min': ['./index.js', '../compiler/index.js', '../train/index.js'],
  'cairn-explain.min': ['../explain/index.js']
}

export const pageBundles = [...Object.keys(pages).map(name => `${name}.js`), 'compile-alone.js', 'cairn.wasm.d.ts'].map(
  name => `dist/runtime/${name}`
)

const exported = modules => modules.map(module => `export * from '${module}'\n`).join('')

/** Hands what `load` makes of modules in the runtime's bundle to those outside that import them, for which it is a text of its own. */
const apart = (inside, load) => ({
  name: 'runtime apart',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^\./ }, ({ path, resolveDir, kind }) => {
      const file = join(resolveDir, path)
      return kind !== 'dynamic-import' && inside.has(file) ? load(file) : undefined
    })
    onLoad({ filter: /./, namespace: 'apart' }, ({ pluginData }) => ({ contents: pluginData, resolveDir: root }))
  }
})

/** What a text imports of modules that are inside of a bundle, by module. */
async function importsOf(text, folder, inside) {
  const { build } = await import('esbuild')
  const { outputFiles } = await build({
    ...{ stdin: { contents: text, resolveDir: folder }, bundle: true, format: 'esm', target: 'es2022', write: false },
    plugins: [apart(inside, path => ({ path, external: true }))]
  })
  const found = new Map()
  for (const [statement, names, path] of outputFiles[0].text.matchAll(
    /^(?:import|export) (.*?)\bfrom "(\/[^"]+|\w:[^"]+)";$/gms
  )) {
    if (!/^(\{|\* $)/.test(names)) throw new Error(`${statement} cannot be taken from another bundle`)
    const known = found.get(path) ?? new Set()
    for (const name of names.replace(/[{}\s*]/g, ' ').split(',')) if (name.trim()) known.add(name.trim().split(' ')[0])
    found.set(path, known)
  }
  return found
}

/** The runtime as one file, compiler and training as one beside it, explanations as a third, with their types. */
export async function bundlePages() {
  const folder = join(root, 'dist', 'runtime')
  const [own, all, explaining] = Object.values(pages).map(exported)
  const inner = [
    `export { serve as _serve } from '../ort/compile/work.js'`,
    `export { default as _onnx } from '../schema/onnx.js'`
  ]
  const more = `${exported(pages['cairn-full.min'].slice(1))}${inner.join('\n')}\n`
  const runtime = await modulesOf(own, folder)
  const full = await modulesOf(own + more, folder)
  const [forFull, forExplaining] = [await importsOf(more, folder, runtime), await importsOf(explaining, folder, full)]
  // What each bundle shows of itself for those behind it.
  const inRuntime = aliased('_', [...forFull, ...[...forExplaining].filter(([path]) => runtime.has(path))])
  const inFull = aliased(
    '_e',
    [...forExplaining].filter(([path]) => !runtime.has(path))
  )
  const banner = text => ({ js: `// Cairn, Apache-2.0${text}` })
  const bundled = (name, text, options) => bundle(text, folder, { outfile: join(folder, `${name}.js`), ...options })
  await bundled('cairn.min', own + inRuntime.shared, { banner: banner('') })
  await bundled('cairn-full.min', `export * from './cairn.min.js'\n${more}${inFull.shared}`, {
    banner: banner('; holds onnx-proto, protobufjs and long: see ../schema/licences.txt'),
    external: ['./cairn.min.js'],
    plugins: [apart(runtime, inRuntime.from('./cairn.min.js')), known]
  })
  await bundled('cairn-explain.min', explaining, {
    banner: banner(''),
    external: ['./cairn.min.js', './cairn-full.min.js'],
    plugins: [
      apart(full, path =>
        runtime.has(path) ? inRuntime.from('./cairn.min.js')(path) : inFull.from('./cairn-full.min.js')(path)
      ),
      known
    ]
  })
  writeFileSync(join(folder, 'compile-alone.js'), `import { _serve } from './cairn-full.min.js'\n_serve()\n`)
  writeFileSync(join(folder, 'cairn.min.d.ts'), own)
  // Pictures are fitted and so are networks: of the two types of that name it is the runtime's.
  writeFileSync(join(folder, 'cairn-full.min.d.ts'), `export type { FitOptions } from './index.js'\n${all}`)
  writeFileSync(join(folder, 'cairn-explain.min.d.ts'), explaining)
  // What hosts that compile WebAssembly beforehand make of the import of a .wasm file.
  writeFileSync(join(folder, 'cairn.wasm.d.ts'), 'declare const module: WebAssembly.Module\nexport default module\n')
}

/** WebGPU's path comes with the runtime's bundle, which has registered it before anybody else could. */
const known = {
  name: 'webgpu is known',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /webgpu\/webgpu\.js$/ }, ({ path, kind }) =>
      kind === 'dynamic-import' ? { path, namespace: 'known' } : undefined
    )
    onLoad({ filter: /./, namespace: 'known' }, () => ({ contents: 'export {}' }))
  }
}

/** The modules that a text imports and those that they do, but for what is loaded later. */
async function modulesOf(text, folder) {
  const { build } = await import('esbuild')
  const { metafile } = await build({
    ...{ stdin: { contents: text, resolveDir: folder }, bundle: true, format: 'esm', target: 'es2022', write: false },
    ...{ metafile: true, absWorkingDir: root, logLevel: 'error' }
  })
  return reached(metafile.inputs, '<stdin>')
}

/** Names under which a bundle exports what others import of its modules, so many of each. */
function aliased(stem, imports) {
  const names = new Map()
  for (const [path, used] of imports)
    for (const name of used) {
      const known = names.get(path) ?? new Map()
      const count = [...names.values()].reduce((sum, { size }) => sum + size, 0)
      if (!known.has(name)) names.set(path, known.set(name, `${stem}${count}`))
    }
  const lists = write => [...names].map(([path, known]) => write(path, [...known]))
  return {
    shared: lists((path, known) => {
      const list = known.map(([name, alias]) => `${name} as ${alias}`)
      return `export { ${list.join(', ')} } from ${JSON.stringify(path)}\n`
    }).join(''),
    from: bundle => path => {
      const list = [...(names.get(path) ?? [])].map(([name, alias]) => `${alias} as ${name}`)
      return { path, namespace: 'apart', pluginData: `export { ${list.join(', ')} } from '${bundle}'` }
    }
  }
}

/** The modules that `from` imports and those that they do, but for what is loaded later. */
function reached(inputs, from) {
  const found = new Set()
  const look = path => {
    if (found.has(path)) return
    found.add(path)
    for (const { path: next, kind, external } of inputs[path].imports)
      if (kind === 'import-statement' && !external) look(next)
  }
  look(from)
  return new Set([...found].map(path => join(root, path)))
}

const compilerApart = {
  name: 'compiler apart',
  setup: ({ onResolve }) => onResolve({ filter: /\/job\.js$/ }, () => ({ path: './compile/job.js', external: true }))
}

/** Texts of shaders are read of the modules that hold them: `export const sources = ` and JSON. */
const shadersApart = {
  name: 'shaders apart',
  setup: ({ onLoad }) =>
    onLoad({ filter: /[/\\]shaders[/\\](later[/\\]\w+-)?sources\.js$/ }, ({ path }) => {
      const place = JSON.stringify(relative(join(root, 'dist', 'ort'), path).replaceAll('\\', '/'))
      const contents = `const text = require('node:fs').readFileSync(require('node:path').join(__dirname, ${place}), 'utf8')
export const sources = JSON.parse(text.slice(text.indexOf('{')))`
      return { contents }
    })
}

const typed = ['index', 'all', 'supported', 'onnxruntime', 'types']

export const ortBundles = [
  ...['../runtime/compile-worker.js', 'compile/stamp.js', 'index.cjs', 'supported.cjs', 'onnxruntime.cjs'],
  ...typed.map(name => `${name}.d.cts`)
].map(name => `dist/ort/${name}`)

/**
 * What dist/ort/ has beside what is compiled: the stamp of the build, the script of the worker that compiles, and the two
 * entries as CommonJS. Of these one holds the runtime, and finds .wasm files and workers where the ES modules have them.
 */
export async function bundleOrt(stamp) {
  const folder = join(root, 'dist', 'ort')
  mkdirSync(join(folder, 'compile'), { recursive: true })
  writeFileSync(join(folder, 'compile', 'stamp.js'), `export const stamp = '${stamp}'\n`)
  // Bundlers put into it what it imports, which is most of the package.
  writeFileSync(
    join(root, 'dist', 'runtime', 'compile-worker.js'),
    `import { serve } from '../ort/compile/work.js'\nserve()\n`
  )
  const node = { platform: 'node', format: 'cjs', target: 'node20', external: ['onnxruntime-common'] }
  await bundle(`export * from './onnxruntime.js'`, folder, {
    ...node,
    outfile: join(folder, 'onnxruntime.cjs'),
    define: { 'import.meta.url': 'cairnUrl' },
    plugins: [compilerApart, shadersApart],
    banner: {
      // Windows that test runners imitate have no encodings of text.
      js: `// Cairn, Apache-2.0
const { TextDecoder, TextEncoder } = require('node:util')
const cairnUrl = require('node:url').pathToFileURL(require('node:path').join(__dirname, '../runtime/index.js')).href`
    }
  })
  await bundle(`export * from './supported.js'`, folder, { ...node, outfile: join(folder, 'supported.cjs') })
  const names = Object.keys(await import('onnxruntime-common'))
  writeFileSync(
    join(folder, 'index.cjs'),
    `// Cairn, Apache-2.0
'use strict'
Object.defineProperty(exports, '__esModule', { value: true })
const common = require('onnxruntime-common')
require('./onnxruntime.cjs')
${names.map(name => `exports.${name} = common.${name}`).join('\n')}
exports.listSupportedBackends = require('./supported.cjs').listSupportedBackends
exports.default = { ...common, listSupportedBackends: exports.listSupportedBackends }
`
  )
  // CommonJS has types of its own, which say the same.
  for (const name of typed) {
    const text = readFileSync(join(folder, `${name}.d.ts`), 'utf8')
    writeFileSync(
      join(folder, `${name}.d.cts`),
      text.replace(/(from '\.\/\w+)\.js'/g, "$1.cjs'").replace(/^import '.*\n/gm, '')
    )
  }
}

export const detectorInputs = ['web/outputs', 'web/model']
export const detectorBundle = 'dist/cli/serving/pool/detectors.js'

/** The page's recognisers of boxes, for `cairn batch --task detect`: the command line knows the page's code by this file alone. */
export async function bundleDetectors() {
  const names = ['selected', 'lists', 'rows', 'pairs', 'yolo', 'fastestdet']
  const imports = names.map(name => `import { ${name} } from './web/outputs/detectors/${name}.js'`)
  const detect = `export function detect(outputs, fed) {
    for (const recognise of [${names}]) {
      const found = recognise(outputs, fed)
      if (found?.kind === 'boxes') return found
    }
  }`
  const external = ['cairnjs', '@tensorflow-models/*']
  await bundle([...imports, detect].join('\n'), root, { external, outfile: join(root, detectorBundle) })
}
