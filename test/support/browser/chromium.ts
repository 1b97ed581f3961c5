// A Chromium for tests: the one that npm brings, with SwiftShader for WebGPU, or one that is installed.
import { join } from 'node:path'
import { type Browser, chromium, type LaunchOptions, type Page } from 'playwright-core'
import { unpacked } from '../../../cli/model/archive.js'

const webgpu = ['--enable-unsafe-webgpu', '--ignore-gpu-blocklist']
const swiftshader = ['--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan', '--use-vulkan=swiftshader']

/** Browsers that may be installed, by Playwright's names; tried where npm has none for the machine. */
const channels = ['chrome', 'msedge', 'chromium']

/** Rejects with what each attempt said where no browser runs. */
export async function launchChromium(): Promise<Browser> {
  const refusals: string[] = []
  for (const options of await candidates())
    try {
      return await chromium.launch({ ...options, chromiumSandbox: false })
    } catch (error) {
      refusals.push(firstTelling((error as Error).message))
    }
  throw new Error([...new Set(refusals)].join('; '))
}

async function candidates(): Promise<LaunchOptions[]> {
  const folder = await unpacked('chromium', ['chromium.br', 'swiftshader.tar.br', 'al2023.tar.br'])
  if (!folder) return channels.map(channel => ({ channel, args: webgpu }))
  const own = { executablePath: join(folder, 'chromium'), args: [...webgpu, ...swiftshader] }
  // Machines without a desktop may lack libraries that come with the browser, which newer systems have better ones of.
  const bare = { ...own, env: { ...process.env, LD_LIBRARY_PATH: join(folder, 'lib') } as Record<string, string> }
  return [own, bare]
}

/** Playwright's messages hold a log; the line that says why is the browser's. */
function firstTelling(message: string): string {
  const lines = message.split('\n').map(line => line.replace(/^.*\[err\]\s*/, '').trim())
  return lines.find(line => /error while loading|cannot|not found|FATAL/i.test(line)) ?? lines[0]
}

let launched: Promise<Browser> | undefined

/** The browser of this process, which ends with it. */
export function browser(): Promise<Browser> {
  return (launched ??= launchChromium())
}

/** Why no browser runs here, or undefined where one does. */
export async function withoutChromium(): Promise<string | undefined> {
  try {
    await browser()
    return undefined
  } catch (error) {
    return `no Chromium runs here: ${(error as Error).message}`
  }
}

export interface Opened {
  readonly page: Page
  /** Errors on the console and uncaught ones; of workers too. */
  readonly errors: readonly string[]
  /** Requests that do not go to the page's own server. */
  readonly strangers: readonly string[]
}

/** A page in a context of its own, once its modules have run. */
export async function openPage(url: string): Promise<Opened> {
  const context = await (await browser()).newContext()
  const page = await context.newPage()
  const errors: string[] = []
  const strangers: string[] = []
  page.on('console', message => message.type() === 'error' && errors.push(message.text()))
  page.on('pageerror', error => errors.push(String(error)))
  page.on('request', request => new URL(request.url()).origin === new URL(url).origin || strangers.push(request.url()))
  await page.goto(url)
  return { page, errors, strangers }
}
