import { describe, expect, it } from 'vitest'
import { bitsOf } from '../src/core/dots'
import { turnAt } from '../src/led/turn'

describe('UX W-05: pages in turn, each for its time', () => {
  it('stays on the only page', () => expect(turnAt([2500], false, 99_000)).toEqual({ page: 0, dark: false, leftMs: Infinity }))
  it('turns and begins anew', () => {
    expect(turnAt([2500, 3000], false, 0)).toEqual({ page: 0, dark: false, leftMs: 2500 })
    expect(turnAt([2500, 3000], false, 2600)).toEqual({ page: 1, dark: false, leftMs: 2900 })
    expect(turnAt([2500, 3000], false, 5500)).toEqual({ page: 0, dark: false, leftMs: 2500 })
  })
  it('says nothing of a board without pages', () => expect(turnAt([], true, 9000).page).toBe(0))
})

describe('UX W-07: a new call flashes three times, then stays', () => {
  it.each([[0, false], [499, false], [500, true], [1200, false], [1700, true], [2900, true], [3000, false]])('%i ms', (at, dark) => {
    const turn = turnAt([2500], true, at)
    expect([turn.page, turn.dark]).toEqual([0, dark])
  })
  it('turns its pages after that', () => expect(turnAt([2500, 2500], true, 5600)).toEqual({ page: 1, dark: false, leftMs: 2400 }))
})

describe('planes of dots', () => {
  it('has the left dot as the highest bit, and rows that end on a byte', () => {
    const lit = bitsOf(btoa(String.fromCharCode(0x80, 0x01, 0x00, 0x80)), 12)
    expect([lit(0, 0), lit(1, 0), lit(8, 1), lit(0, 1)]).toEqual([true, false, true, false])
    expect(lit(0, 9)).toBe(false)
  })
})
