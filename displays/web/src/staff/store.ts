/** Small things this PC remembers; a browser that refuses storage forgets them and works all the same. */
export function recall(name: string): string | null {
  try {
    return localStorage.getItem(`yichuang.${name}`)
  } catch {
    return null
  }
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(`yichuang.${name}`, value)
  } catch {
    // Storage is off: remembered until the page closes at most.
  }
}
