/** UX D-02 to D-13: what the hall display shows, decided without a browser. */
import { describe, expect, it } from 'vitest'
import { headerInverted, shiftAt } from '../src/core/burnin'
import { sayLines } from '../src/core/say'
import { arrange, HIGHLIGHT_MS, pulses } from '../src/hall/calls'
import { linePages } from '../src/hall/pages'
import { load, save, type Saved } from '../src/hall/saved'
import type { Call, TicketState } from '../src/core/wire'

const NOW = Date.UTC(2026, 10, 23, 2, 32, 5)

function call(number: string, agoS: number, state: TicketState = 'called', times = 1): Call {
  return { id: `${number}.${times}`, number, window: 'w1', plate: '1', place: { zh: '', en: '' }, at: NOW - agoS * 1000, times, state }
}
const numbers = (calls: { number: string }[]) => calls.map((one) => one.number)

describe('arrange', () => {
  it('D-03: of five calls in a second three stand in the field and two in the list, marked as calling', () => {
    const five = ['A1', 'A2', 'A3', 'A4', 'A5'].map((number, at) => call(number, 1 - at * 0.1))
    const shown = arrange(five, [call('B1', 60, 'serving')], NOW, 4)
    expect(numbers(shown.field)).toEqual(['A5', 'A4', 'A3'])
    expect(shown.list.map((row) => [row.call.number, row.calling])).toEqual([['A2', true], ['A1', true], ['B1', false]])
  })

  it('UX 13.1: of 24 calls at once every one is shown within its turn', () => {
    const many = Array.from({ length: 24 }, (_, at) => call(`A${at}`, at / 10))
    const seen = new Set<string>()
    for (let second = 0; second < 30; second += 1) {
      const shown = arrange(many, [], NOW + second * 1000, 4)
      for (const one of [...shown.field, ...shown.list.map((row) => row.call)]) seen.add(one.number)
    }
    expect(seen.size).toBe(24)
  })

  it('D-02: a citizen who is already at the window stays highlighted for 10 s', () => {
    const arrived = call('A1', 4, 'serving')
    expect(numbers(arrange([], [arrived], NOW, 4).field)).toEqual(['A1'])
    const later = arrange([], [arrived], NOW + HIGHLIGHT_MS, 4)
    expect(later.field).toEqual([])
    expect(numbers(later.list.map((row) => row.call))).toEqual(['A1'])
  })

  it('shows a recalled number once, and again as new (UX 13.2)', () => {
    const again = call('A1', 1, 'called', 2)
    const shown = arrange([again], [call('A1', 50, 'called', 1)], NOW, 4)
    expect(shown.field).toEqual([again])
    expect(shown.list).toEqual([])
    expect(pulses(again, NOW)).toBe(true)
  })

  it('a call taken back is gone at once', () => {
    expect(arrange([], [], NOW, 4)).toEqual({ field: [], list: [] })
  })

  it('D-13: what was called before the line came back does not pulse', () => {
    expect(pulses(call('A1', 8), NOW)).toBe(false)
  })
})

describe('D-09', () => {
  it('shifts at most 8 px, along a closed path', () => {
    const places = Array.from({ length: 16 }, (_, minute) => shiftAt(NOW + minute * 60_000))
    for (const [x, y] of places) expect(Math.max(Math.abs(x), Math.abs(y))).toBeLessThanOrEqual(8)
    expect(places.slice(0, 8)).toEqual(places.slice(8))
    expect(new Set(places.map(String)).size).toBeGreaterThan(4)
  })
  it('inverts the header every other week, from Monday', () => {
    const monday = Date.UTC(2026, 10, 22, 16)
    expect(headerInverted(monday)).not.toBe(headerInverted(monday - 1))
    expect(headerInverted(monday)).toBe(headerInverted(monday + 6 * 86_400_000))
  })
})

describe('D-12', () => {
  const box = () => {
    const held: Record<string, string> = {}
    return { getItem: (key: string) => held[key] ?? null, setItem: (key: string, value: string) => { held[key] = value } }
  }
  const saved: Saved = { of: 'z1', at: NOW, documents: { hall: {} } }

  it('brings back what is at most ten minutes old', () => {
    const store = box()
    save(saved, store)
    expect(load(NOW + 600_000, store)).toEqual(saved)
    expect(load(NOW + 600_001, store)).toBeNull()
  })
  it("never shows yesterday's numbers, not even over midnight", () => {
    const store = box()
    const midnight = Date.UTC(2026, 10, 22, 16)
    save({ ...saved, at: midnight - 1000 }, store)
    expect(load(midnight + 1000, store)).toBeNull()
  })
  it('starts without one when storage is broken', () => {
    const broken = { getItem: () => '{', setItem: () => { throw new Error('full') } }
    expect(() => save(saved, broken)).not.toThrow()
    expect(load(NOW, broken)).toBeNull()
  })
})

describe('the bottom line', () => {
  const texts = { prepare: 'prepare', passed: 'passed', rule: 'rule' }
  it('D-04, D-05, D-07: notices, then who prepares, then who was missed, each at least 4 s', () => {
    const pages = linePages(['A1', 'A2'], ['B1'], ['公告'], false, texts)
    expect(pages.map((page) => [page.label, page.text, page.numbers])).toEqual([['', '公告', []], ['prepare', '', ['A1', 'A2']], ['passed', '', ['B1']], ['passed', 'rule', []]])
    for (const page of pages) expect(page.forMs).toBeGreaterThanOrEqual(4000)
  })
  it('RULES 27: the rule for the missed has its own page, and stands once for all of them', () => {
    const rule = 'Ticket machine, guide desk or same window'
    const pages = linePages([], ['B1', 'B2', 'B3', 'B4', 'B5'], [], false, { ...texts, rule })
    expect(pages.map((page) => [page.label, page.text, page.numbers])).toEqual([['passed', '', ['B1', 'B2', 'B3', 'B4']], ['passed', '', ['B5']], ['passed', rule, []]])
  })
  it('shows every number, a page at a time', () => {
    const all = Array.from({ length: 23 }, (_, at) => `A${at}`)
    expect(linePages(all, [], [], true, texts).flatMap((page) => page.numbers)).toEqual(all)
  })
})

describe('sayLines', () => {
  it('D-08: the first sentence is the headline', () => {
    expect(sayLines('请马上离开大厅。走南门或东门，不要乘电梯')).toEqual({ head: '请马上离开大厅', lines: ['走南门或东门，不要乘电梯'] })
    expect(sayLines('')).toEqual({ head: '', lines: [] })
  })
})
