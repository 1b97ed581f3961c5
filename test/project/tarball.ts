// What npm packs: how much it weighs, and that nothing of it asks for what is left out.
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, posix } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { buildPage } from '../support/browser/web-page.js'
import { root } from '../support/root.js'

const test = suite('tarball')

/** Bytes of the packed file that may not be reached. */
const limit = 1_500_000

buildPage()
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
const { stdout } = spawnSync(npm, ['pack', '--dry-run', '--json'], { cwd: root, encoding: 'utf8', shell: true })
const [{ size, files }] = JSON.parse(stdout) as [{ size: number; files: readonly { readonly path: string }[] }]
const packed = new Set(files.map(({ path }) => path))
const textOf = (path: string) => readFileSync(join(root, path), 'utf8')

test('it weighs little', () => {
  console.log(`${size} bytes, ${files.length} files`)
  assert.ok(size < limit, `${size} bytes`)
})

test('entries and types are there, and what they import', () => {
  const seen = new Set<string>()
  const missing: string[] = []
  const look = (path: string, from: string) => {
    if (seen.has(path)) return
    seen.add(path)
    if (!packed.has(path)) return void missing.push(`${path}, of ${from}`)
    if (!/\.([cm]?js|d\.[cm]?ts)$/.test(path) || /^dist\/web\//.test(path)) return
    const isTypes = /\.d\.[cm]?ts$/.test(path)
    for (const [, , asked] of textOf(path).matchAll(/\b(?:from|import|require)\s*\(?\s*(["'])(\.{1,2}\/[^"'\n]+)\1/g)) {
      const target = posix.join(posix.dirname(path), asked)
      look(isTypes ? target.replace(/\.(c?)js$/, '.d.$1ts') : target, path)
    }
  }
  const targets = (entry: unknown): string[] =>
    typeof entry === 'string' ? [entry] : Object.values(entry as object).flatMap(targets)
  const { exports, bin, types } = JSON.parse(textOf('package.json'))
  for (const target of targets([exports, bin, types ?? []]))
    if (!target.includes('*')) look(posix.join(target), 'package.json')
  for (const path of packed) if (/\.js$/.test(path)) look(path, 'the tarball')
  assert.equal(missing, [])
})

test('cairn serve has all that the page asks for', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-tarball-'))
  for (const path of packed) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    cpSync(join(root, path), join(folder, path))
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction')
  const child = spawn(process.execPath, ['dist/cli/index.js', 'serve', '--port', '0', '--json'], { cwd: folder })
  try {
    const first = await new Promise<string>(resolve => child.stdout.once('data', data => resolve(String(data))))
    const { url } = JSON.parse(first) as { url: string }
    const [, list] = /^const build = (\{.*\})$/m.exec(textOf('dist/web/sw.js'))!
    const { files: wanted } = JSON.parse(list) as { files: readonly string[] }
    assert.ok(wanted.includes('cairn/cairn-full.min.js') && wanted.includes('cairn/cairn.wasm'))
    for (const name of ['index.html', ...wanted]) {
      const response = await fetch(new URL(name, url))
      assert.is(response.status, 200, name)
      const served = new Uint8Array(await response.arrayBuffer())
      assert.ok(Buffer.from(served).equals(readFileSync(join(root, 'dist', 'web', name))), name)
    }
  } finally {
    child.kill()
    rmSync(folder, { recursive: true })
  }
})

test.run()
