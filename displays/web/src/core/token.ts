/** The token of a paired screen, and the way to the pairing page when there is none. */

const KEY = 'yichuang.token'

/** A browser that refuses storage still runs until its next start. */
let held = ''

/** The token of an address `/hall#token=…`: it wins and is not stored, so that several screens can share a browser. */
export function tokenOf(hash: string): string {
  return /^#token=([\w-]{16,128})$/.exec(hash)?.[1] ?? ''
}

export function screenToken(): string {
  const given = tokenOf(location.hash)
  if (given !== '') return given
  try {
    return localStorage.getItem(KEY) ?? held
  } catch {
    return held
  }
}

export function keepToken(token: string): void {
  held = token
  try {
    localStorage.setItem(KEY, token)
  } catch {
    // Storage is off: the token lives as long as this page.
  }
}

export function forgetToken(): void {
  held = ''
  try {
    localStorage.removeItem(KEY)
  } catch {
    // Storage is off: there is nothing to forget.
  }
}

/** To the page that shows a pairing code (UX S-03). */
export function goJoin(): void {
  location.replace('/join')
}
