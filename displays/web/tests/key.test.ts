/** UX X-12: one key for each intention; it begins with the time, so that the server's index of keys grows at its end. */
import { afterEach, expect, it, vi } from 'vitest'
import { newKey } from '../src/core/api'

afterEach(() => vi.useRealTimers())

it('is new each time, 32 hex digits, and in the order of time', () => {
  vi.useFakeTimers()
  const keys = [0, 1, 1_795_431_846_589, 1_795_431_846_589, 1_795_431_846_590].map((at) => {
    vi.setSystemTime(at)
    return newKey()
  })
  expect(new Set(keys).size).toBe(5)
  expect(keys.every((key) => /^[0-9a-f]{32}$/.test(key))).toBe(true)
  expect(keys.map((key) => parseInt(key.slice(0, 12), 16))).toEqual([0, 1, 1_795_431_846_589, 1_795_431_846_589, 1_795_431_846_590])
})
