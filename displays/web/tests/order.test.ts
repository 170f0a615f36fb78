/** DESIGN 6: documents are complete and the newest wins; DESIGN law 4: a lower epoch is refused. */
import { describe, expect, it } from 'vitest'
import { compareVersions, ViewMap } from '../src/core/version'

const v = (epoch: number, seq: number, n = 0) => ({ epoch, seq, n })

describe('versions', () => {
  it('orders by epoch, then seq, then n', () => {
    const sorted = [v(2, 0, 0), v(1, 9, 9), v(1, 9, 0), v(1, 2, 7)].sort(compareVersions)
    expect(sorted).toEqual([v(1, 2, 7), v(1, 9, 0), v(1, 9, 9), v(2, 0, 0)])
  })
})

describe('ViewMap', () => {
  it('takes a snapshot, then changes, and removes a key that becomes null', () => {
    const map = new ViewMap()
    expect(map.snapshot(v(1, 5), { a: 1, b: 2 })).toBe(true)
    expect(map.change(v(1, 6), { a: 3, b: null })).toBe(true)
    expect(map.documents).toEqual({ a: 3 })
  })

  it('ignores a change before any snapshot', () => {
    const map = new ViewMap()
    expect(map.change(v(1, 1), { a: 1 })).toBe(false)
    expect(map.documents).toEqual({})
  })

  it('ignores what is not newer, key by key', () => {
    const map = new ViewMap()
    map.snapshot(v(1, 5), { a: 'old', b: 'old' })
    map.change(v(1, 8), { a: 'new' })
    expect(map.change(v(1, 7), { a: 'late', b: 'newer' })).toBe(true)
    expect(map.documents).toEqual({ a: 'new', b: 'newer' })
    expect(map.change(v(1, 8), { a: 'again' })).toBe(false)
  })

  it('does not bring back a removed key with an older document', () => {
    const map = new ViewMap()
    map.snapshot(v(1, 1), { a: 1 })
    map.change(v(1, 4), { a: null })
    map.change(v(1, 3), { a: 2 })
    expect(map.documents).toEqual({})
  })

  it('refuses an older writer (DESIGN law 4), in a change and in a snapshot', () => {
    const map = new ViewMap()
    map.snapshot(v(2, 1), { a: 'right' })
    expect(map.change(v(1, 99), { a: 'wrong' })).toBe(false)
    expect(map.snapshot(v(1, 99), { a: 'wrong' })).toBe(false)
    expect(map.documents).toEqual({ a: 'right' })
  })

  it('takes a new writer whose seq starts lower', () => {
    const map = new ViewMap()
    map.snapshot(v(1, 500), { a: 'old' })
    expect(map.snapshot(v(2, 3), { a: 'new' })).toBe(true)
    expect(map.documents).toEqual({ a: 'new' })
  })
})
