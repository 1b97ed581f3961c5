// The picture of the browser page in the README: `node dist/scripts/screenshot.js` writes docs/page.png anew, with the
// network that the page brings along and one of its photos.
import { fileURLToPath } from 'node:url'
import { launchChromium } from '../test/support/browser/chromium.js'
import { buildPage, serve, settled, visit } from '../test/support/browser/web-page.js'

buildPage()
const path = fileURLToPath(new URL('../../docs/page.png', import.meta.url))
const browser = await launchChromium()
const served = await serve()
const { page } = await visit(browser, served.url, 1280, 800)
await page.click('#starter-list li:nth-child(8) button')
await page.waitForSelector('#found .bar')
const failure = await settled(page)
if (failure) throw new Error(failure)
await page.screenshot({ path })
await browser.close()
await served.end()
