/** Tabs by the pattern of the ARIA practices: one of them in the tab order, arrows walk among them. */
const tabs = [...document.querySelectorAll<HTMLButtonElement>('[role="tab"]')]

function selectTab(wanted: HTMLElement, focus: boolean): void {
  for (const tab of tabs) {
    const on = tab === wanted
    tab.setAttribute('aria-selected', String(on))
    tab.tabIndex = on ? 0 : -1
    document.getElementById(tab.getAttribute('aria-controls')!)!.hidden = !on
    if (on && focus) tab.focus()
  }
}

const steps: Readonly<Record<string, (at: number) => number>> = {
  ArrowRight: at => (at + 1) % tabs.length,
  ArrowLeft: at => (at + tabs.length - 1) % tabs.length,
  Home: () => 0,
  End: () => tabs.length - 1
}

export function startTabs(): void {
  tabs.forEach((tab, at) => {
    tab.onclick = () => selectTab(tab, false)
    tab.onkeydown = event => {
      const step = steps[event.key]
      if (!step) return
      event.preventDefault()
      selectTab(tabs[step(at)], true)
    }
  })
  selectTab(tabs[0], false)
}
