/** How old what a screen shows is, in the four words of UX X-06. Pure. */

export type Age = 'fresh' | 'reconnecting' | 'old' | 'dead'

/** UX X-06: over 3 s reconnecting, over 10 s old, over 60 s dead. Nothing heard yet counts as reconnecting. */
export function ageOf(silentMs: number | null): Age {
  if (silentMs === null || (silentMs > 3000 && silentMs <= 10_000)) return 'reconnecting'
  if (silentMs <= 3000) return 'fresh'
  return silentMs <= 60_000 ? 'old' : 'dead'
}

/** UX X-07: wait before the nth attempt (0 first): 0.3, 0.6, then 1 s at most, each ±20 % by `chance` in [0, 1). */
export function reconnectDelayMs(attempt: number, chance: number): number {
  const base = attempt <= 0 ? 300 : attempt === 1 ? 600 : 1000
  return Math.min(1000, base * (0.8 + 0.4 * chance))
}

const HALL_OFFSET_MS = 8 * 3_600_000

/** The wall clock of a hall. China keeps one time, UTC+8, and a TV box's own zone is often wrong. */
export function hallTime(atMs: number): { year: number; month: number; date: number; weekday: number; clock: string; seconds: string; day: string } {
  const shifted = new Date(atMs + HALL_OFFSET_MS)
  const two = (value: number) => (value < 10 ? `0${value}` : String(value))
  const year = shifted.getUTCFullYear()
  const month = shifted.getUTCMonth() + 1
  const date = shifted.getUTCDate()
  const clock = `${two(shifted.getUTCHours())}:${two(shifted.getUTCMinutes())}`
  const seconds = `${clock}:${two(shifted.getUTCSeconds())}`
  return { year, month, date, weekday: shifted.getUTCDay(), clock, seconds, day: `${year}-${two(month)}-${two(date)}` }
}
