// A Chromium for tests: the one that npm brings, with SwiftShader for WebGPU, or one that is installed.
import type { Browser, Page } from 'playwright-core'
import { launchChromium as launch } from '../../../bench/browser/chromium.js'

const webgpu = ['--enable-unsafe-webgpu', '--ignore-gpu-blocklist']
const swiftshader = ['--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan', '--use-vulkan=swiftshader']

/** With WebGPU. Rejects with what each attempt said where no browser runs. */
export const launchChromium = (): Promise<Browser> => launch(webgpu, swiftshader)

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
  page.setDefaultTimeout(120_000)
  const errors: string[] = []
  const strangers: string[] = []
  page.on('console', message => message.type() === 'error' && errors.push(message.text()))
  page.on('pageerror', error => errors.push(String(error)))
  page.on('request', request => new URL(request.url()).origin === new URL(url).origin || strangers.push(request.url()))
  await page.goto(url)
  return { page, errors, strangers }
}
