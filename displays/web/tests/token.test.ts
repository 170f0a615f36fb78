/** UX S-03: a screen is joined by its code, or by an address that carries its token where no server sees it. */
import { describe, expect, it } from 'vitest'
import { tokenOf } from '../src/core/token'

describe('UX S-03', () => {
  it.each([
    ['#token=Ab3_-0123456789xyzAb3', 'Ab3_-0123456789xyzAb3'],
    ['', ''], ['#tickets/12', ''], ['#token=', ''], ['#token=short', ''], ['#token=Ab3_-0123456789xyz<b>', ''],
  ])('%s holds the token %s', (hash, token) => {
    expect(tokenOf(hash)).toBe(token)
  })
})
