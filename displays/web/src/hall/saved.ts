/** The last snapshot of a display, for a start without a server (UX D-12). */
import { hallTime } from '../core/age'
import type { Documents } from '../core/version'

export const SAVED_FOR_MS = 600_000

export interface Saved {
  of: string
  at: number
  documents: Documents
}

type Store = Pick<Storage, 'getItem' | 'setItem'>

const KEY = 'yichuang.hall.last'

/** Storage may be full or switched off: a display that cannot keep its snapshot simply starts without one. */
export function save(saved: Saved, store: Store): void {
  try {
    store.setItem(KEY, JSON.stringify(saved))
  } catch {
    // See above.
  }
}

/** The snapshot when it is of today and at most ten minutes old, else null: yesterday's numbers are never shown. */
export function load(nowMs: number, store: Store): Saved | null {
  try {
    const saved = JSON.parse(store.getItem(KEY) ?? 'null') as Saved | null
    if (saved === null || typeof saved.at !== 'number' || typeof saved.documents !== 'object') return null
    const age = nowMs - saved.at
    return age >= 0 && age <= SAVED_FOR_MS && hallTime(saved.at).day === hallTime(nowMs).day ? saved : null
  } catch {
    return null
  }
}
