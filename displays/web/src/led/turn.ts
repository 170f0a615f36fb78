/** Which page of a board stands when: a new call flashes three times (UX W-07), then the pages come in turn (W-05). Pure. */

export const FLASH_MS = 500
export const FLASHES = 3

export interface Turn {
  page: number
  /** Nothing is lit: the dark half of a flash. */
  dark: boolean
  /** Until the next change; Infinity when this page stays. */
  leftMs: number
}

/** `holds` are the pages' times, `sinceMs` since they began. */
export function turnAt(holds: number[], flash: boolean, sinceMs: number): Turn {
  const flashing = flash ? 2 * FLASHES * FLASH_MS : 0
  if (sinceMs < flashing) {
    const half = Math.floor(sinceMs / FLASH_MS)
    return { page: 0, dark: half % 2 === 1, leftMs: (half + 1) * FLASH_MS - sinceMs }
  }
  if (holds.length < 2) return { page: 0, dark: false, leftMs: Infinity }
  let left = (sinceMs - flashing) % holds.reduce((sum, hold) => sum + hold, 0)
  for (let page = 0; page < holds.length; page += 1) {
    if (left < holds[page]) return { page, dark: false, leftMs: holds[page] - left }
    left -= holds[page]
  }
  return { page: 0, dark: false, leftMs: holds[0] }
}
