import type { Entry } from '../catalogue.js'
import { byId, el, option } from '../dom.js'
import { bytes, rough } from '../numbers.js'
import type { ZooNetwork } from '../protocol.js'

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
          ...breakable(entry.name),
          entry.bytes !== undefined && el('small', {}, bytes(entry.bytes))
        )
      )
    )
  )
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

export function showSamples(urls: readonly string[], choose: (url: string, button: HTMLButtonElement) => void): void {
  byId('samples').replaceChildren(
    ...urls.map(url => {
      const name = nameOfUrl(url)
      const picture = el('img', { loading: 'lazy', decoding: 'async', alt: name, src: url })
      const button = el('button', { type: 'button', title: name, 'aria-pressed': 'false' }, picture)
      button.onclick = () => choose(url, button)
      return el('li', {}, button)
    })
  )
}

/** A name that may go on in the next line behind its underscores and dashes. */
function breakable(name: string): Node[] {
  return name.split(/(?<=[_-])/).flatMap(part => [document.createTextNode(part), el('wbr')])
}

/** One of the samples is the photo that is shown, or none. */
export function pressSample(pressed: HTMLElement | undefined): void {
  for (const button of byId('samples').querySelectorAll('button'))
    button.setAttribute('aria-pressed', String(button === pressed))
}

export const nameOfUrl = (url: string) => decodeURIComponent(new URL(url).pathname.split('/').at(-1)!)
