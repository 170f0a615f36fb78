/** What stands where on the hall display: the field of at most three calls, and the list. Pure. */
import type { Call } from '../core/wire'

/** UX D-02: a call stays highlighted this long, even when the citizen is already at the window. */
export const HIGHLIGHT_MS = 10_000
/** UX D-02 and X-05: the emphasis of a new call ends after this. */
export const PULSE_MS = 5000
/** UX D-07: how long a page of an overfull list stays. */
export const LIST_PAGE_MS = 5000
const FIELD_ROWS = 3

export interface ListRow {
  call: Call
  calling: boolean
}

export interface Arrangement {
  field: Call[]
  list: ListRow[]
}

function newestFirst(a: Call, b: Call): number {
  return b.at - a.at || (a.id < b.id ? -1 : 1)
}

/**
 * UX D-03: the three newest calls fill the field, every further one stands in the list at once, marked as calling; when
 * more call than the list has rows they take turns, so that none is ever overwritten.
 */
export function arrange(calls: Call[], recent: Call[], nowMs: number, rows: number): Arrangement {
  const called = new Set(calls.map((call) => call.number))
  const held = recent.filter((call) => nowMs - call.at < HIGHLIGHT_MS && !called.has(call.number))
  const calling = [...calls, ...held].sort(newestFirst)
  const further = calling.slice(FIELD_ROWS).map((call) => ({ call, calling: true }))
  const shown = new Set(calling.map((call) => call.number))
  const past = recent.filter((call) => !shown.has(call.number)).map((call) => ({ call, calling: false }))
  return { field: calling.slice(0, FIELD_ROWS), list: turn(further, nowMs, rows).concat(past).slice(0, rows) }
}

function turn(rows: ListRow[], nowMs: number, room: number): ListRow[] {
  if (rows.length <= room) return rows
  const pages = Math.ceil(rows.length / room)
  const page = Math.floor(nowMs / LIST_PAGE_MS) % pages
  return rows.slice(page * room, page * room + room)
}

/** Whether a call is new enough to pulse; after a reconnect only what is really new does (UX D-13). */
export function pulses(call: Call, nowMs: number): boolean {
  return nowMs - call.at < PULSE_MS
}
