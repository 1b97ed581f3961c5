// `npm run docs` makes a static site of README, guides and an API reference in dist/docs; --serve shows it, --api stops behind
// the reference. It has packages of its own, installed here on the first call: TypeDoc needs a TypeScript with a compiler API.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '..')
const source = join(root, 'dist', 'docs-source')

function install() {
  const installed = join(here, 'node_modules', '.package-lock.json')
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(here, 'package-lock.json')).mtimeMs) return
  console.error('cairn: installing what the documents are built with (once)')
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const npm = process.env.npm_execpath
  const command = npm ? process.execPath : process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const { status } = spawnSync(command, npm ? [npm, ...args] : args, {
    cwd: here,
    stdio: ['ignore', 'inherit', 'inherit']
  })
  if (status !== 0) process.exit(1)
}

/**
 * The entries of the package as TypeDoc reads them, by the names that programs import. Sessions have their class there, which
 * the package makes of it when it is bundled.
 */
function entries() {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const folder = join(root, 'dist', 'docs-entries')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const session = readdirSync(join(root, 'runtime'), { recursive: true, encoding: 'utf8' }).find(
    file =>
      file.endsWith('.ts') &&
      /^export class InferenceSession\b/m.test(readFileSync(join(root, 'runtime', file), 'utf8'))
  )
  const extra = {
    '.': `export { InferenceSession } from '../../runtime/${session.replaceAll('\\', '/').replace(/\.ts$/, '.js')}'\n`
  }
  const files = Object.entries(exports)
    .filter(([name, { types }]) => types && !/\.(js|wasm)$|^\.\/ort/.test(name))
    .map(([name, { types }]) => {
      const file = join(folder, `${name.slice(2).replaceAll('/', '-') || 'cairnjs'}.ts`)
      const module = types.replace(/^\.\/dist\//, '../../').replace(/\.d\.ts$/, '.js')
      const comment = `/**\n * ${about[name]}\n * @module cairnjs${name.slice(1)}\n */\n`
      writeFileSync(file, `${comment}export * from '${module}'\n${extra[name] ?? ''}`)
      return file
    })
  const tsconfig = {
    extends: '../../tsconfig.json',
    compilerOptions: { rootDir: '../..', noEmit: true, incremental: false },
    include: ['*.ts'],
    exclude: []
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig))
  return { files, tsconfig: join(folder, 'tsconfig.json') }
}

const about = {
  '.': 'The runtime: sessions that run .cairn files, tensors, images. No compiler, no Node built-ins, no dependencies.',
  './webgpu':
    'Brings the code of WebGPU along from the start, for scripts that may load none later, as service workers: `import "cairnjs/webgpu"`. It exports nothing.',
  './inline':
    'The kernels inside of the JavaScript, for bundlers that bring no .wasm files along: `import "cairnjs/inline"`.',
  './compiler':
    'The compiler: ONNX to .cairn files, in Node and in browsers. Once it is imported, sessions take ONNX bytes too.',
  './compiler/standalone':
    'What makes WebAssembly modules of models, with Binaryen, for programs that are bundled: `import "cairnjs/compiler/standalone"`; and what modules say of themselves.',
  './standalone': 'The loader of a model that is a WebAssembly module of its own.',
  './onnxruntime':
    'Makes Cairn the backend of onnxruntime-common: `import "cairnjs/onnxruntime"`, or `register(ort)` for one instance of it.',
  './train': 'Training: new heads, last blocks, and whole networks, on the CPU, in Node and in browsers.',
  './explain':
    'Why a network gives a picture its class, and what its layers see: heat maps, feature maps, made pictures.'
}

/** The reference: a page for each name that an entry of the package exports. Fails where one has no docstring. */
async function reference() {
  const { Application } = await import('typedoc')
  const { files, tsconfig } = entries()
  const app = await Application.bootstrapWithPlugins({
    entryPoints: files,
    tsconfig,
    plugin: ['typedoc-plugin-markdown'],
    readme: 'none',
    name: 'API reference',
    disableSources: true,
    excludePrivate: true,
    excludeInternal: true,
    validation: { notExported: false, invalidLink: true, notDocumented: true },
    // Members of types that are written where they are used, and the names of errors: what holds them says what they are.
    intentionallyNotDocumented: [
      'cairnjs.InferenceSession.inputMetadata.__type.name',
      'cairnjs.InferenceSession.inputMetadata.__type.type',
      'cairnjs.InferenceSession.inputMetadata.__type.shape',
      'cairnjs.imageNet.__type.scale',
      'cairnjs.imageNet.__type.mean',
      'cairnjs.imageNet.__type.std',
      'cairnjs.ImageTensorOptions.norm.__type.mean',
      'cairnjs.ImageTensorOptions.norm.__type.bias',
      'cairnjs.SessionOptions.executionProviders.__type.name',
      'cairnjs/compiler.CompileError.name',
      'cairnjs.CairnError.name',
      'cairnjs.FormatError.name'
    ],
    outputs: [{ name: 'markdown', path: join(source, 'api') }],
    entryFileName: 'index.md',
    hideBreadcrumbs: true,
    hidePageHeader: true,
    useCodeBlocks: true,
    parametersFormat: 'table',
    indexFormat: 'table'
  })
  const project = await app.convert()
  if (!project) process.exit(1)
  app.validate(project)
  await app.generateOutputs(project)
  if (app.logger.hasWarnings() || app.logger.hasErrors()) {
    console.error('cairn: every public name needs a docstring, and every link a target')
    process.exit(1)
  }
}

const isPage = path => path.endsWith('.md')

/** The documents as they lie in the repository, and beside them what they link to. */
function gather() {
  const inFolder = folder =>
    readdirSync(join(root, folder))
      .filter(isPage)
      .map(name => normalize(join(folder, name)))
  const pages = [...inFolder('.'), ...inFolder('docs'), ...inFolder('bench/results'), 'asm/README.md']
  for (const page of pages) {
    const follow = (all, mark, text, link) => {
      const [place, anchor] = link.split('#')
      if (/^\w+:/.test(link) || !place) return all
      const target = normalize(join(dirname(page), place))
      if (pages.includes(target)) return all
      const file = join(root, target)
      if (!existsSync(file) || !statSync(file).isFile()) return text
      // What a page shows is bundled with it; what it links to lies beside it.
      const ending = /\.(svg|png)$/.test(target) ? '' : '.txt'
      cpSync(file, join(source, mark ? '' : 'public', `${target}${ending}`))
      return `${mark}[${text}](${place}${ending}${anchor ? `#${anchor}` : ''})`
    }
    const text = readFileSync(join(root, page), 'utf8')
    write(page, text.replace(/(!?)\[([^\]]*)\]\(([^)\s]+)\)/g, follow))
  }
}

function write(path, text) {
  const file = join(source, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

async function serve() {
  const { default: sirv } = await import('sirv')
  const server = createServer(sirv(join(root, 'dist', 'docs'), { dev: true }))
  server.listen(0, 'localhost', () => console.log(`http://localhost:${server.address().port}/`))
}

install()
rmSync(source, { recursive: true, force: true })
await reference()
if (!process.argv.includes('--api')) {
  gather()
  const { build } = await import('vitepress')
  await build(here)
  if (process.argv.includes('--serve')) await serve()
}
