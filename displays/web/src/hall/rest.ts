/** When a display starts afresh by itself (UX D-10). Pure. */

/** A page that has run this long does once the hall is closed. */
export const LONG_RUN_MS = 20 * 3_600_000
/** UX D-17: one that holds more does at any hour. */
export const HEAP_MAX = 100 * 1024 * 1024

export interface Running {
  /** Whether the server was heard just now: without it a reload ends on the browser's error page. */
  fresh: boolean
  speaking: boolean
  closed: boolean
  ranMs: number
  /** Bytes of script memory; 0 where the browser does not tell. */
  heap: number
}

export function startsAfresh(page: Running): boolean {
  return page.fresh && !page.speaking && ((page.closed && page.ranMs > LONG_RUN_MS) || page.heap > HEAP_MAX)
}
