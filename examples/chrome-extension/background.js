// "Which kind of clothing?" in the menu of every image; the answer is the extension's badge and its tooltip.
import { InferenceSession } from './cairn/cairn.min.js'

const labels = ['T-shirt', 'trousers', 'pullover', 'dress', 'coat', 'sandal', 'shirt', 'sneaker', 'bag', 'ankle boot']
/** Chrome ends this worker when it is idle, so the model is loaded by the first question after each start. */
let loading

async function classify(url) {
  loading ??= InferenceSession.create('clothes.cairn')
  const session = await loading
  const picture = await createImageBitmap(await (await fetch(url)).blob())
  const options = { width: 28, height: 28, stretch: true, channels: 'GRAY', scale: 1 / 255 }
  const input = await session.imageTensor(picture, options)
  const [best] = await session.top({ input }, { count: 3 })
  return best.map(({ index, score }) => `${labels[index]} ${score.toFixed(4)}`)
}

chrome.runtime.onInstalled.addListener(() =>
  chrome.contextMenus.create({ id: 'classify', title: 'Which kind of clothing?', contexts: ['image'] })
)
chrome.contextMenus.onClicked.addListener(async ({ srcUrl }) => {
  const lines = await classify(srcUrl).catch(error => [error.message])
  await chrome.action.setTitle({ title: lines.join('\n') })
  await chrome.action.setBadgeText({ text: lines[0].slice(0, 4) })
})
