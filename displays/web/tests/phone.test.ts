/** UX P-02, P-03: how a wait is told. UX P-10 and RULES 1.5: what a rating may hold. */
import { describe, expect, it } from 'vitest'
import { compare, tell } from '../src/phone/estimate'
import { chooseLevel, isBad, maySend, tagsOf, toggleTag } from '../src/rating/choice'

describe('UX P-02', () => {
  it('is a range, wide open spreads are not told, and without a window nothing is', () => {
    expect(tell(900, 1500)).toEqual({ kind: 'range', low: 15, high: 25 })
    expect(tell(950, 1501)).toEqual({ kind: 'range', low: 15, high: 26 })
    expect(tell(60, 240)).toEqual({ kind: 'soon', high: 4 })
    expect(tell(1200, 5400)).toEqual({ kind: 'wide' })
    expect(tell(null, null)).toEqual({ kind: 'unknown' })
  })
})

describe('UX P-03', () => {
  const start = compare(null, 0, 1200, 5).promised

  it('says nothing while the wait gets shorter or a little longer', () => {
    expect(compare(start, 60_000, 1100, 4).worse).toBeNull()
    expect(compare(start, 60_000, 1400, 5).worse).toBeNull()
  })
  it('says how many minutes and why when more people came ahead', () => {
    expect(compare(start, 60_000, 1500, 7).worse).toEqual({ minutes: 6, more: 2 })
  })
  it('names slowness when nobody came ahead', () => {
    expect(compare(start, 0, 1600, 5).worse).toEqual({ minutes: 7, more: 0 })
  })
  it('adds up small steps, so that a creeping wait is told too', () => {
    let promised = start
    let told = 0
    for (let minute = 1; minute <= 8; minute += 1) {
      const step = compare(promised, minute * 60_000, 1200, 5)
      promised = step.promised
      if (step.worse !== null) told += 1
    }
    expect(told).toBe(1)
  })
})

describe('RULES 1.5', () => {
  it('has eight tags a level, each code beginning with its level', () => {
    const codes = [5, 4, 3, 2, 1].flatMap((level) => {
      const tags = tagsOf(level)
      expect(tags.length).toBe(8)
      for (const tag of tags) expect(tag.code).toMatch(new RegExp(`^${level}\\d\\d$`))
      return tags.map((tag) => tag.code)
    })
    expect(new Set(codes).size).toBe(40)
    expect(codes).toContain('212')
  })
})

describe('UX P-10', () => {
  it('a good rating needs nothing more than its level and "send": two taps', () => {
    for (const level of [5, 4, 3]) expect(maySend(chooseLevel(level))).toBe(true)
  })
  it('levels 1 and 2 need a tag or a few words', () => {
    for (const level of [2, 1]) {
      expect(isBad(level)).toBe(true)
      const empty = chooseLevel(level)
      expect(maySend(empty)).toBe(false)
      expect(maySend({ ...empty, text: '   ' })).toBe(false)
      expect(maySend({ ...empty, text: '等了太久' })).toBe(true)
      expect(maySend(toggleTag(empty, '115'))).toBe(true)
    }
  })
  it('a tag pressed twice is taken back, and another level starts empty', () => {
    const twice = toggleTag(toggleTag(chooseLevel(1), '115'), '115')
    expect(twice.tags).toEqual([])
    expect(chooseLevel(4)).toEqual({ level: 4, tags: [], text: '' })
  })
})
