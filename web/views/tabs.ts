/** Tabs by the pattern of the ARIA practices: one of them in the tab order, arrows walk among them. */
const tabs = [...document.querySelectorAll<HTMLButtonElement>('[role="tab"]')]

let shown: (panel: string) => void = () => undefined

function selectTab(wanted: HTMLElement, focus: boolean): void {
  for (const tab of tabs) {
    const on = tab === wanted
    tab.setAttribute('aria-selected', String(on))
    tab.tabIndex = on ? 0 : -1
    document.getElementById(tab.getAttribute('aria-controls')!)!.hidden = !on
    if (on && focus) tab.focus()
    // On a phone there is not room for all of them.
    if (on) tab.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }
  shown(wanted.getAttribute('aria-controls')!)
}

const steps: Readonly<Record<string, (at: number) => number>> = {
  ArrowRight: at => (at + 1) % tabs.length,
  ArrowLeft: at => (at + tabs.length - 1) % tabs.length,
  Home: () => 0,
  End: () => tabs.length - 1
}

/** Calls `onShown` with the panel that comes to the front. */
export function startTabs(onShown: (panel: string) => void): void {
  shown = onShown
  tabs.forEach((tab, at) => {
    tab.onclick = () => selectTab(tab, false)
    tab.onkeydown = event => {
      const step = steps[event.key]
      if (!step) return
      event.preventDefault()
      selectTab(tabs[step(at)], true)
    }
  })
  selectFirstTab()
}

export const selectFirstTab = () => selectTab(tabs[0], false)
