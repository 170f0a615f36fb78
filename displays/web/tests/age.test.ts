/** UX: the four ages and the pace of reconnecting. */
import { describe, expect, it } from 'vitest'
import { ageOf, hallTime, reconnectDelayMs } from '../src/core/age'

describe('UX X-06', () => {
  it.each([
    [null, 'reconnecting'], [0, 'fresh'], [3000, 'fresh'], [3001, 'reconnecting'], [10_000, 'reconnecting'],
    [10_001, 'old'], [60_000, 'old'], [60_001, 'dead'], [86_400_000, 'dead'],
  ] as const)('%s ms of silence is %s', (silent, age) => {
    expect(ageOf(silent)).toBe(age)
  })
})

describe('UX X-07', () => {
  it('waits 0.3, 0.6, 1 s with at most 20 % jitter, never more than 1 s', () => {
    for (const [attempt, base] of [[0, 300], [1, 600], [2, 1000], [50, 1000]] as const) {
      for (const chance of [0, 0.5, 0.999]) {
        const delay = reconnectDelayMs(attempt, chance)
        expect(delay).toBeGreaterThanOrEqual(base * 0.8)
        expect(delay).toBeLessThanOrEqual(Math.min(1000, base * 1.2))
      }
    }
  })
})

describe('hallTime', () => {
  it('is UTC+8 whatever the box believes', () => {
    const at = Date.UTC(2026, 10, 22, 16, 0, 5)
    expect(hallTime(at)).toMatchObject({ day: '2026-11-23', clock: '00:00', seconds: '00:00:05', weekday: 1, month: 11, date: 23 })
  })
})
