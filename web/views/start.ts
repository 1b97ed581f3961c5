import { byId, el, option } from '../dom.js'
import type { ZooNetwork } from '../engine/protocol.js'
import type { Entry, Starter } from '../model/catalogue.js'
import { bytes, percent, rough } from '../numbers.js'

/** The start: what the server offers, and the architectures of the zoo. */
export function showEntries(entries: readonly Entry[], choose: (entry: Entry) => void): void {
  byId('bundled').hidden = entries.length === 0
  byId('bundled-list').replaceChildren(
    ...entries.map(entry =>
      el(
        'li',
        {},
        el(
          'button',
          { className: 'card', type: 'button', onclick: () => choose(entry) },
          el('span', {}, ...breakable(entry.name)),
          entry.bytes !== undefined && el('small', {}, bytes(entry.bytes))
        )
      )
    )
  )
}

/** The page's own classifier, opened by one of its pictures. */
export function showStarter(starter: Starter | undefined, choose: (starter: Starter, photo: string) => void): void {
  byId('starter').hidden = starter === undefined
  if (!starter) return
  byId('starter-text').textContent =
    `A small network that Cairn has trained itself tells ten kinds of clothing apart; ${percent(starter.accuracy)} of pictures that are new to it are told right. Choose one:`
  byId('starter-list').replaceChildren(...starter.photos.map(url => sample(url, () => choose(starter, url))))
}

export function showZoo(networks: readonly ZooNetwork[], choose: (network: ZooNetwork) => void): void {
  const list = byId<HTMLSelectElement>('zoo-list')
  list.replaceChildren(
    ...networks.map(({ key, title, parameters }) => option(key, `${title}, ${rough(parameters)} parameters`))
  )
  byId<HTMLFormElement>('zoo-form').onsubmit = event => {
    event.preventDefault()
    const network = networks.find(({ key }) => key === list.value)
    if (network) choose(network)
  }
}

export function showSamples(urls: readonly string[], choose: (url: string) => void): void {
  byId('samples').replaceChildren(...urls.map(url => sample(url, () => choose(url), String(url === pressed))))
}

function sample(url: string, choose: () => void, pressed?: string): HTMLLIElement {
  const name = nameOfUrl(url)
  const picture = el('img', { loading: 'lazy', decoding: 'async', alt: name, src: url })
  return el('li', {}, el('button', { type: 'button', title: name, 'aria-pressed': pressed, onclick: choose }, picture))
}

/** A name that may go on in the next line behind its underscores and dashes. */
function breakable(name: string): Node[] {
  return name.split(/(?<=[_-])/).flatMap(part => [document.createTextNode(part), el('wbr')])
}

/** Along the row alone: the page stays where it is. */
function bringIntoRow(button: HTMLElement): void {
  const row = byId('samples')
  const [own, all] = [button.getBoundingClientRect(), row.getBoundingClientRect()]
  row.scrollLeft += Math.min(0, own.left - all.left) + Math.max(0, own.right - all.right)
}

/** The sample that is shown, or none. */
let pressed: string | undefined

export function pressSample(url: string | undefined): void {
  pressed = url
  for (const button of byId('samples').querySelectorAll('button')) {
    const isShown = button.querySelector('img')!.src === url
    button.setAttribute('aria-pressed', String(isShown))
    if (isShown) bringIntoRow(button)
  }
}

export const nameOfUrl = (url: string) => decodeURIComponent(new URL(url).pathname.split('/').at(-1)!)
