/** Which key means what at the desk: the map of UX C-04, its remapping, and the numeric keypad. Pure. */

/** What a clerk can do with one key. */
export const DEEDS = [
  'next', 'recall', 'no-show', 'arrive', 'transfer', 'park', 'finish', 'not-done', 'pause', 'direct', 'undo', 'number', 'help', 'card',
] as const
export type Deed = (typeof DEEDS)[number]

export type KeyMap = Record<Deed, string>

/** F5, F11 and F12 belong to the browser; arrows with Ctrl+Alt turn screens on old drivers (UX C-05). */
export const DEFAULT_KEYS: KeyMap = {
  next: 'F2', recall: 'F3', 'no-show': 'F4', arrive: 'F6', transfer: 'F7', park: 'F8', finish: 'F9', 'not-done': 'Shift+F9', pause: 'F10',
  direct: 'Ctrl+Alt+D', undo: 'Ctrl+Alt+Z', number: 'Ctrl+Alt+G', help: 'Ctrl+Alt+H', card: 'F1',
}

const RESERVED = ['F5', 'F11', 'F12', 'Alt+F4', 'Ctrl+F4', 'Ctrl+Alt+Delete']

/** The part of a KeyboardEvent that decides. */
export interface Stroke {
  key: string
  code: string
  ctrlKey: boolean
  altKey: boolean
  shiftKey: boolean
  metaKey: boolean
  repeat: boolean
}

/** "Shift+F9", "Ctrl+Alt+D"; "" for a modifier alone or a key with Windows/Command. */
export function comboOf(stroke: Stroke): string {
  if (stroke.metaKey || ['Control', 'Alt', 'Shift', 'Meta', 'AltGraph', 'Dead', 'Process', 'Unidentified'].includes(stroke.key)) return ''
  const letter = /^Key([A-Z])$/.exec(stroke.code) ?? /^Digit(\d)$/.exec(stroke.code)
  const name = letter !== null ? letter[1] : stroke.key.length === 1 ? stroke.key.toUpperCase() : stroke.key
  return (stroke.ctrlKey ? 'Ctrl+' : '') + (stroke.altKey ? 'Alt+' : '') + (stroke.shiftKey ? 'Shift+' : '') + name
}

export type Refusal = 'bare' | 'reserved' | 'taken'

/** Why a combination may not be used, or null. WCAG 2.1.4: only function keys and Ctrl+Alt combinations (UX C-04, 13.11). */
export function refusal(combo: string, deed: Deed, keys: KeyMap): Refusal | null {
  if (RESERVED.includes(combo)) return 'reserved'
  if (!/^(Shift\+)?F([1-9]|1[0-2])$/.test(combo) && !/^Ctrl\+Alt\+(Shift\+)?[A-Z0-9]$/.test(combo)) return 'bare'
  return DEEDS.some((other) => other !== deed && keys[other] === combo) ? 'taken' : null
}

/** The map kept on this PC; what is missing, unknown, refused or doubled falls back to the default. */
export function readKeys(kept: string | null): KeyMap {
  const keys = { ...DEFAULT_KEYS }
  if (kept === null) return keys
  try {
    const wanted = JSON.parse(kept) as Record<string, unknown>
    for (const deed of DEEDS) {
      const combo = wanted[deed]
      if (typeof combo === 'string' && refusal(combo, deed, { ...keys, [deed]: combo }) !== 'bare' && !RESERVED.includes(combo)) keys[deed] = combo
    }
  } catch {
    return keys
  }
  return new Set(Object.values(keys)).size === DEEDS.length ? keys : { ...DEFAULT_KEYS }
}

/** The combination as a key cap shows it. */
export function capOf(combo: string): string {
  return combo.replace('Shift+', '⇧')
}

/** The deed of a stroke, or null. */
export function deedOf(stroke: Stroke, keys: KeyMap): Deed | null {
  const combo = comboOf(stroke)
  return combo === '' ? null : (DEEDS.find((deed) => keys[deed] === combo) ?? null)
}

/** What the keypad box (USB 叫号器 as a keyboard) means: a deed, digits growing, a number to call, or nothing of ours. */
export type PadStep = { kind: 'deed'; deed: Deed } | { kind: 'digits'; digits: string } | { kind: 'call'; digits: string } | null

const PAD_DEEDS: Record<string, Deed> = {
  NumpadAdd: 'recall', NumpadSubtract: 'no-show', NumpadMultiply: 'transfer', NumpadDivide: 'undo',
}
const PAD_DIGITS = 5

/** `digits` is what was typed so far; Enter alone is next, digits and Enter call that number (UX C-04). */
export function padStep(stroke: Stroke, digits: string): PadStep {
  if (stroke.ctrlKey || stroke.altKey || stroke.metaKey || stroke.shiftKey) return null
  const digit = /^Numpad(\d)$/.exec(stroke.code)
  // By the key's place, not its letter: a caller box must work whatever Num Lock says.
  if (digit !== null) return { kind: 'digits', digits: (digits + digit[1]).slice(0, PAD_DIGITS) }
  if (stroke.code === 'NumpadDecimal' || (stroke.code === 'Backspace' && digits !== '')) return { kind: 'digits', digits: digits.slice(0, -1) }
  if (stroke.code === 'NumpadEnter') return digits === '' ? { kind: 'deed', deed: 'next' } : { kind: 'call', digits }
  const deed = PAD_DEEDS[stroke.code]
  return deed === undefined ? null : { kind: 'deed', deed }
}
