/** UX D-10: "Reload: nightly at set time while hall is closed + when heap/build says so". */
import { describe, expect, it } from 'vitest'
import { HEAP_MAX, LONG_RUN_MS, startsAfresh, type Running } from '../src/hall/rest'

const page: Running = { fresh: true, speaking: false, closed: true, ranMs: LONG_RUN_MS + 1, heap: 20 * 1024 * 1024 }

describe('D-10', () => {
  it('a display of yesterday starts afresh while the hall is closed, never in open hours', () => {
    expect(startsAfresh(page)).toBe(true)
    expect(startsAfresh({ ...page, closed: false })).toBe(false)
    expect(startsAfresh({ ...page, ranMs: LONG_RUN_MS - 60_000 })).toBe(false)
  })
  it('D-17: one that holds more than 100 MB does at any hour, between two sentences', () => {
    const full = { ...page, closed: false, ranMs: 3_600_000, heap: HEAP_MAX + 1 }
    expect(startsAfresh(full)).toBe(true)
    expect(startsAfresh({ ...full, speaking: true })).toBe(false)
    expect(HEAP_MAX).toBe(100 * 1024 * 1024)
  })
  it('D-11: nothing starts afresh while the server is away: it would end on an error page', () => {
    expect(startsAfresh({ ...page, fresh: false, heap: HEAP_MAX + 1 })).toBe(false)
  })
})
