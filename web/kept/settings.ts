/** Small settings, kept where the browser lets a page keep them; their names begin with `cairn-`. */
const here = new Map<string, string>()

export function remembered(name: string): string | undefined {
  try {
    return here.get(name) ?? localStorage.getItem(name) ?? undefined
  } catch {
    return undefined
  }
}

export function remember(name: string, value: string): void {
  here.set(name, value)
  try {
    localStorage.setItem(name, value)
  } catch {
    // It is chosen again in the next visit.
  }
}

export function forgetSettings(): void {
  here.clear()
  try {
    for (const name of Object.keys(localStorage)) if (name.startsWith('cairn-')) localStorage.removeItem(name)
  } catch {
    // Nothing was kept either.
  }
}
