/** A scanner that types: the address of a slip's QR code, quicker than any finger, and Enter. */

/** The time between two letters of a scanner; a person is slower. */
export const GAP_MS = 120
const LEAST = 8

/** The ticket's token in what was scanned, or "". */
export function tokenIn(scanned: string): string {
  const found = /(?:^|\/)t\/([\w-]+\.[\w-]+)$/.exec(scanned.trim().replace(/\?.*$/, ''))
  return found === null ? '' : found[1]
}

/** Calls with each token that is scanned; the Enter behind it presses nothing. Returns how to stop. */
export function listenToScanner(scanned: (token: string) => void, now: () => number = () => performance.now()): () => void {
  let text = ''
  let last = -Infinity
  function hear(event: KeyboardEvent): void {
    const at = now()
    if (at - last > GAP_MS) text = ''
    last = at
    if (event.key === 'Enter' && text.length >= LEAST) {
      event.preventDefault()
      event.stopPropagation()
      const token = tokenIn(text)
      text = ''
      if (token !== '') scanned(token)
    } else if (event.key.length === 1) text += event.key
  }
  window.addEventListener('keydown', hear, true)
  return () => window.removeEventListener('keydown', hear, true)
}
