// The browser page as `cairn serve` gives it, and the verbs to use it with.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import type { Test } from 'uvu'
import * as assert from 'uvu/assert'
import { root } from '../root.js'

const cli = join(root, 'dist', 'cli', 'index.js')

/** Builds the page where it is out of date; of files that run at the same time one builds, and the others wait. */
export function buildPage(): void {
  const lock = join(root, 'dist', '.page-lock')
  for (let waited = 0; !took(lock) && waited < 120; waited++)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
  try {
    const args = [join(root, 'scripts', 'build.mjs'), '--page']
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`the page cannot be built: ${stderr}`)
  } finally {
    rmSync(lock, { recursive: true, force: true })
  }
}

function took(lock: string): boolean {
  try {
    mkdirSync(lock)
    return true
  } catch {
    return false
  }
}

export interface Served {
  readonly url: string
  /** Sends the signal and gives the exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>
}

/** `cairn serve`, in a process of its own. */
export async function serve(...args: string[]): Promise<Served> {
  const child: ChildProcess = spawn(process.execPath, [cli, 'serve', ...args, '--port', '0', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const ended = once(child, 'close').then(([code]) => Promise.reject(new Error(`cairn serve ended with ${code}`)))
  ended.catch(() => undefined)
  const [line] = await Promise.race([once(child.stdout!, 'data'), ended])
  return {
    url: JSON.parse(String(line).split('\n')[0]).url,
    async end(signal = 'SIGTERM') {
      const closed = once(child, 'close')
      child.kill(signal)
      return (await closed)[0]
    }
  }
}

export interface Visit {
  readonly page: Page
  /** What the console called an error, and what was thrown. */
  readonly errors: readonly string[]
  /** Requests that left the page's origin. */
  readonly strangers: readonly string[]
  close(): Promise<void>
}

export async function visit(browser: Browser, url: string, width = 1280, height = 900): Promise<Visit> {
  // Offline use has tests of its own; elsewhere nothing is fetched behind the page's back.
  const context = await browser.newContext({ viewport: { width, height }, serviceWorkers: 'block' })
  const page = await context.newPage()
  const errors: string[] = []
  const strangers: string[] = []
  page.setDefaultTimeout(120_000)
  page.on('console', message => message.type() === 'error' && errors.push(message.text()))
  page.on('pageerror', error => errors.push(error.message))
  context.on('request', request => {
    if (!request.url().startsWith('blob:') && new URL(request.url()).origin !== new URL(url).origin)
      strangers.push(request.url())
  })
  await page.goto(url)
  await page.waitForSelector('body[data-ready]')
  return { page, errors, strangers, close: () => context.close() }
}

/** Drops files that the server has, as a hand would drop them. */
export async function drop(page: Page, ...places: string[]): Promise<void> {
  await page.evaluate(async places => {
    const dataTransfer = new DataTransfer()
    for (const place of places) {
      const content = await (await fetch(place)).blob()
      dataTransfer.items.add(new File([content], place.split('/').at(-1)!, { type: content.type }))
    }
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }))
  }, places)
}

/** The body of a page that has nothing to do. */
export const atRest = 'body:not([data-working]):has(#busy[hidden])'

/** Waits until the page has nothing to do; gives the failure that it shows, if it does. */
export async function settled(page: Page): Promise<string | undefined> {
  await page.waitForSelector(atRest)
  return (await page.isVisible('#failure')) ? await page.innerText('#failure-text') : undefined
}

export async function openZoo(page: Page, name: string): Promise<void> {
  await page.selectOption('#zoo-list', name)
  await page.click('#zoo-form button')
  await page.waitForSelector('body[data-view="work"]')
}

/** Tab comes past all controls that can be seen, and each shows that it has the focus. */
export async function everyControl(page: Page): Promise<void> {
  const wanted = await page.evaluate(() => {
    const selector = 'button:enabled, select:enabled, input:enabled, a[href], summary, [tabindex="0"]'
    const controls = [...document.querySelectorAll<HTMLElement>(selector)]
    const visible = controls.filter(each => each.tabIndex >= 0 && each.checkVisibility())
    visible.forEach((each, i) => {
      each.dataset.control = String(i)
    })
    ;(document.activeElement as HTMLElement).blur()
    return visible.map(each => `${each.tagName} ${each.id} ${each.textContent!.trim().slice(0, 40)}`)
  })
  const passed = new Set<number>()
  // Boxes that scroll may be stops of their own.
  for (let i = 0; i < wanted.length + 10; i++) {
    await page.keyboard.press('Tab')
    const [control, outlined] = await page.evaluate(() => {
      const at = document.activeElement as HTMLElement
      return [at.dataset.control, getComputedStyle(at).outlineStyle !== 'none'] as const
    })
    if (control === undefined) continue
    assert.ok(outlined, `${wanted[Number(control)]} shows no focus`)
    passed.add(Number(control))
  }
  assert.equal(
    wanted.filter((_, i) => !passed.has(i)),
    []
  )
}

export async function noScroll(page: Page): Promise<void> {
  const { scrollWidth, clientWidth } = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement
    return { scrollWidth, clientWidth }
  })
  assert.ok(scrollWidth <= clientWidth, `${scrollWidth} pixels on a page of ${clientWidth}`)
}

/** Serves the page to all tests of a suite and opens it for each, which must neither call errors nor reach for strangers. */
export function visitPage(test: Test, browser: Browser): () => Visit {
  let served: Served
  let visited: Visit
  test.before(async () => {
    served = await serve()
  })
  test.after(async () => {
    await served.end()
  })
  test.before.each(async () => {
    visited = await visit(browser, served.url)
  })
  test.after.each(async () => {
    const { errors, strangers } = visited
    await visited.close()
    assert.equal(errors, [])
    assert.equal(strangers, [])
  })
  return () => visited
}
