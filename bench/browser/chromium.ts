// A Chromium for benchmarks and tests: the one that npm brings, or one that is installed.
import { join } from 'node:path'
import { type Browser, chromium, type LaunchOptions } from 'playwright-core'
import { unpacked } from '../../cli/model/index.js'

/** Browsers that may be installed, by Playwright's names; tried where npm has none for the machine. */
const channels = ['chrome', 'msedge', 'chromium']

/** Arguments for every browser, and for the one of npm. Rejects with what each attempt said where no browser runs. */
export async function launchChromium(args: readonly string[] = [], bundled: readonly string[] = []): Promise<Browser> {
  const refusals: string[] = []
  for (const options of await candidates(args, bundled))
    try {
      return await chromium.launch({ ...options, chromiumSandbox: false })
    } catch (error) {
      refusals.push(firstTelling((error as Error).message))
    }
  throw new Error([...new Set(refusals)].join('; '))
}

async function candidates(args: readonly string[], bundled: readonly string[]): Promise<LaunchOptions[]> {
  const folder = await unpacked('chromium', ['chromium.br', 'swiftshader.tar.br', 'al2023.tar.br'])
  if (!folder) return channels.map(channel => ({ channel, args: [...args] }))
  const own = { executablePath: join(folder, 'chromium'), args: [...args, ...bundled] }
  // Machines without a desktop may lack libraries that come with the browser, which newer systems have better ones of.
  const bare = { ...own, env: { ...process.env, LD_LIBRARY_PATH: join(folder, 'lib') } as Record<string, string> }
  return [own, bare]
}

/** Playwright's messages hold a log; the line that says why is the browser's. */
function firstTelling(message: string): string {
  const lines = message.split('\n').map(line => line.replace(/^.*\[err\]\s*/, '').trim())
  return lines.find(line => /error while loading|cannot|not found|FATAL/i.test(line)) ?? lines[0]
}
