/** The browser's history: the start page and models, each by the key of its source. */
export type Place = { readonly model: string } | { readonly start: true }

const start: Place = { start: true }
let here: Place = start

export function startHistory(visit: (place: Place) => void): Place | undefined {
  window.onpopstate = ({ state }) => {
    // A link within the page makes an entry of its own, which shows the same.
    if (!state) return history.replaceState(here, '')
    here = state
    visit(here)
  }
  if (!history.state) return undefined
  here = history.state
  return here
}

/** Becomes the newest entry, or takes the place of the one that shows the same already. */
export function enter(place: Place, address = ''): void {
  const isSame = JSON.stringify(place) === JSON.stringify(here)
  const isFirst = !history.state
  const url = location.pathname + address
  if (isSame || (isFirst && location.search === address)) history.replaceState(place, '', url)
  else {
    if (isFirst) history.replaceState(start, '', location.pathname)
    history.pushState(place, '', url)
  }
  here = place
}

/** What was to be visited cannot be: the entry is that of `place`. */
export function settle(place: Place, address = ''): void {
  history.replaceState(place, '', location.pathname + address)
  here = place
}

export const startPlace = start
