/** How a screen that stands all day spares its panel (UX D-09). Pure. */

/** Where the whole layout stands in this minute, in canvas px, along a closed path that never leaves 8 px. */
export function shiftAt(nowMs: number): [number, number] {
  const path: [number, number][] = [[0, 0], [4, 4], [8, 0], [4, -4], [0, 0], [-4, 4], [-8, 0], [-4, -4]]
  return path[Math.floor(nowMs / 60_000) % path.length]
}

/** The header is inverted every other week; weeks start on Monday in the hall's time. */
export function headerInverted(nowMs: number): boolean {
  const MONDAY = Date.UTC(1970, 0, 5)
  return Math.floor((nowMs + 8 * 3_600_000 - MONDAY) / (7 * 86_400_000)) % 2 === 1
}
