/** The few verbs that the page makes its elements with. */
type Child = Node | string | undefined | false

/** An element with properties and attributes (those with a dash, `role`, and what the element has no property for). */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Readonly<Record<string, unknown>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined) continue
    if (name in element) Object.assign(element, { [name]: value })
    else element.setAttribute(name, String(value))
  }
  element.append(...(children.filter(Boolean) as (Node | string)[]))
  return element
}

const svgSpace = 'http://www.w3.org/2000/svg'

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | number>> = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS(svgSpace, tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value))
  element.append(...(children.filter(Boolean) as (Node | string)[]))
  return element
}

/** The element of that id, which the page's HTML has. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id)
  if (!element) throw new Error(`the page has no element "${id}"`)
  return element as T
}

export function option(value: string, label: string, disabled = false): HTMLOptionElement {
  return el('option', { value, disabled }, label)
}

/** Rows of text under a header; columns from `numbersFrom` on are numbers. */
export function table(
  caption: string,
  header: readonly string[],
  rows: readonly (readonly Child[])[],
  numbersFrom = header.length
): HTMLTableElement {
  const align = (column: number) => (column >= numbersFrom ? 'number' : '')
  return el(
    'table',
    {},
    el('caption', { className: 'hidden' }, caption),
    el('thead', {}, el('tr', {}, ...header.map((title, i) => el('th', { scope: 'col', className: align(i) }, title)))),
    el('tbody', {}, ...rows.map(row => el('tr', {}, ...row.map((cell, i) => el('td', { className: align(i) }, cell)))))
  )
}

/** Names and values, as a list of definitions. */
export function facts(entries: readonly (readonly [string, string])[]): HTMLDListElement {
  return el(
    'dl',
    { className: 'facts' },
    ...entries.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value)))
  )
}

export function download(name: string, content: Blob): void {
  const href = URL.createObjectURL(content)
  el('a', { href, download: name }).click()
  setTimeout(() => URL.revokeObjectURL(href), 10_000)
}
