import { byId } from '../dom.js'
import { remember, remembered } from '../kept/settings.js'

/** Dark or light: as the system has it until someone says otherwise. `themed` is sent when it changes. */
const stored = 'cairn-theme'
const system = matchMedia('(prefers-color-scheme: dark)')
const button = byId<HTMLButtonElement>('theme')

function apply(): void {
  const dark = (remembered(stored) ?? (system.matches ? 'dark' : 'light')) === 'dark'
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
  button.textContent = dark ? 'Light' : 'Dark'
  button.setAttribute('aria-label', dark ? 'Switch to light colours' : 'Switch to dark colours')
  document.dispatchEvent(new Event('themed'))
}

export function followTheme(): void {
  system.onchange = apply
  button.onclick = () => {
    remember(stored, document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark')
    apply()
  }
  apply()
}
