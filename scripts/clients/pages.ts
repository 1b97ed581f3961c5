// A client in a page: bundled by Vite, in Chromium.
import { isUtf8 } from 'node:buffer'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'vite'
import { openPage } from '../../test/support/browser/chromium.js'
import { Site } from '../../test/support/browser/serve.js'

/** Packages whose text is of an older encoding than Vite's bundler reads. */
const latin = {
  name: 'latin',
  load: async (id: string) => {
    const bytes = /\.js$/.test(id) && existsSync(id) ? readFileSync(id) : undefined
    return bytes && !isUtf8(bytes) ? bytes.toString('latin1') : undefined
  }
}

const main = (program: string) => `import run from './${program}.mjs'
const place = name => new URL(name, location.origin + '/given/').href.replace('/given/../', '/')
run(place).then(found => { globalThis.found = { found } }, error => { globalThis.found = { error: String(error?.stack ?? error) } })
`

interface Answer {
  readonly found?: unknown
  readonly error?: string
}

/** What the program finds, and which files of Cairn's were asked for. */
export async function inPage(
  project: string,
  program: string,
  given: string
): Promise<{ found: unknown; own: boolean }> {
  const client = join(project, 'client')
  writeFileSync(join(client, 'main.js'), main(program))
  writeFileSync(
    join(client, 'index.html'),
    '<!doctype html><title>client</title><script type="module" src="./main.js"></script>'
  )
  const outDir = join(project, 'page')
  mkdirSync(outDir, { recursive: true })
  await build({
    ...{ root: client, configFile: false, logLevel: 'silent', plugins: [latin] },
    build: { outDir, emptyOutDir: true, minify: false, target: 'es2022' },
    worker: { format: 'es' }
  })
  const folders = { '/given/': given, '/modules/': join(project, 'node_modules'), '/': outDir }
  const site = await Site.open({ folders })
  try {
    const { page, errors, strangers } = await openPage(`${site.origin}/`)
    const waiting = page.waitForFunction(() => (globalThis as { found?: Answer }).found, undefined, {
      timeout: 300_000
    })
    const answer = (await (await waiting).jsonValue()) as Answer
    await page.context().close()
    if (strangers.length) throw new Error(`it asks for ${strangers[0]}`)
    if (answer.error) throw new Error([answer.error, ...errors].join('; '))
    return { found: answer.found, own: site.asked.some(path => /\bcairn(-\w+)*[.-][\w-]*\.?wasm$/.test(path)) }
  } finally {
    await site.close()
  }
}
