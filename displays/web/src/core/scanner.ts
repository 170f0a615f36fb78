/** A keyboard-wedge scanner types faster than a person and ends with Enter; what it read, wherever the cursor stands. */

/** Keys of a scanner follow one another within this time, as they were pressed, however late a busy page hears of them; a person's do not. */
export const GAP_MS = 120
const LEAST = 8
const MOST = 300

/** Collects keys; `feed` gives the code when Enter follows keys that no hand typed. Pure. */
export class Scanner {
  private typed = ''
  private lastMs = -Infinity

  feed(key: string, atMs: number): string | null {
    if (atMs - this.lastMs > GAP_MS) this.typed = ''
    this.lastMs = atMs
    if (key === 'Enter') {
      const code = this.typed
      this.typed = ''
      return code.length >= LEAST ? code : null
    }
    if (key.length === 1) this.typed = (this.typed + key).slice(-MOST)
    return null
  }
}

/** The ticket's token in what was scanned (the address in its code, or the token alone); "" when it is something else. */
export function ticketToken(code: string): string {
  const found = /(?:^|\/t\/)(t[0-9A-Za-z]+\.[\w-]+)(?:\?.*)?$/.exec(code.trim())
  return found === null ? '' : found[1]
}

/** What the scanner typed into a field goes out of it again: it was not meant for the field. */
function takeBack(code: string): void {
  const field = document.activeElement
  if (!(field instanceof HTMLInputElement) || field.value.slice(-code.length) !== code) return
  field.value = field.value.slice(0, -code.length)
  field.dispatchEvent(new Event('input', { bubbles: true }))
}

/** Calls back with every ticket's token that is scanned, until the returned function is called. */
export function onScan(found: (token: string) => void): () => void {
  const scanner = new Scanner()
  const hear = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.altKey || event.metaKey) return
    const code = scanner.feed(event.key, event.timeStamp)
    const token = code === null ? '' : ticketToken(code)
    if (code === null || token === '') return
    event.preventDefault()
    event.stopPropagation()
    takeBack(code)
    found(token)
  }
  document.addEventListener('keydown', hear, true)
  return () => document.removeEventListener('keydown', hear, true)
}
