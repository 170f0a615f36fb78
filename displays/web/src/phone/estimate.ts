/** How a wait is told to a citizen (UX P-02, P-03). Pure. */

export type Told =
  | { kind: 'range'; low: number; high: number }
  | { kind: 'soon'; high: number }
  | { kind: 'wide' }
  | { kind: 'unknown' }

/** Minutes, low rounded down and high up; a spread that helps nobody is not told at all. */
export function tell(lowS: number | null, highS: number | null): Told {
  if (lowS === null || highS === null) return { kind: 'unknown' }
  const low = Math.floor(lowS / 60)
  const high = Math.max(low + 1, Math.ceil(highS / 60))
  if (high <= 5) return { kind: 'soon', high }
  return high > 2 * low + 20 ? { kind: 'wide' } : { kind: 'range', low, high }
}

/** What was last promised: ms UTC by which the citizen was to be called, and how many stood ahead then. */
export interface Promised {
  byMs: number
  ahead: number
}

export interface Worse {
  minutes: number
  /** How many more stand ahead; 0 when the queue itself became slower. */
  more: number
}

const WORTH_TELLING_MS = 5 * 60_000

/**
 * UX P-03: compares a new estimate with what was promised. Small steps add up, because the promise only moves when it gets
 * better or when its worsening was told.
 */
export function compare(promised: Promised | null, nowMs: number, highS: number | null, ahead: number): { promised: Promised | null; worse: Worse | null } {
  if (highS === null) return { promised, worse: null }
  const next = { byMs: nowMs + highS * 1000, ahead }
  if (promised === null || next.byMs <= promised.byMs) return { promised: next, worse: null }
  const late = next.byMs - promised.byMs
  if (late <= WORTH_TELLING_MS) return { promised, worse: null }
  return { promised: next, worse: { minutes: Math.round(late / 60_000), more: Math.max(0, ahead - promised.ahead) } }
}
