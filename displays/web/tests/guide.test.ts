/** The guide's page without a browser: batches of tickets, the lock, lost slips, order of the alarms (UX G-01, G-04, G-06). */
import { describe, expect, it, vi } from 'vitest'
import { answered, BATCH_MOST, begin, failed, goOn, halt, looked, nextKey, printing } from '../src/guide/batch'
import { ageOf, LOCK_MS, locked, material, prints, sortAlarms, spanOf, underName } from '../src/guide/desk'
import type { AlarmDocument, DeviceDocument } from '../src/core/wire'
import { CODES, noteWords } from '../src/staff/said'
import { taken, ticket } from '../src/fixtures/kiosk'

vi.mock('../src/staff/session', () => ({ path: (...parts: string[]) => parts.join('/') })) // it asks the page for its hall

describe('UX G-03: the reasons on a ticket that the guide looks up', () => {
  it('have their words on a page that is none of the desks', () => {
    for (const code of CODES) expect(noteWords(code)).not.toEqual(code)
  })
})

const keys = (n: number) => Array.from({ length: n }, (_, at) => `k${at}`)
type Print = Parameters<typeof ticket>[1]
const got = (at: number, slip: Print = 'printed') => taken(ticket(`A0${at}`, slip))

describe('UX G-01, X-12: up to twenty tickets in a row', () => {
  it('asks for one after the other, each with a key of its own', () => {
    let batch = begin(keys(3))
    const asked: (string | null)[] = []
    for (let at = 0; at < 3; at += 1) {
      asked.push(nextKey(batch))
      batch = answered(batch, got(at))
    }
    expect(asked).toEqual(['k0', 'k1', 'k2'])
    expect(batch.state).toBe('done')
    expect(nextKey(batch)).toBeNull()
  })
  it('waits for each slip before it asks for the next ticket: twenty in a row come out as twenty slips', () => {
    const first = answered(begin(keys(2)), got(0, 'claimed'))
    expect(printing(first)?.ticket.number).toBe('A00')
    expect(nextKey(first)).toBeNull()
    const out = looked(first, got(0))
    expect(printing(out)).toBeNull()
    expect(nextKey(out)).toBe('k1')
    const last = answered(out, got(1, 'claimed'))
    expect(last.state).toBe('running')
    expect(looked(last, got(1)).state).toBe('done')
  })
  it('stops at a slip that did not come out, names it, and goes on with the next', () => {
    for (const slip of ['failed', 'unknown'] as const) {
      const stopped = looked(answered(begin(keys(2)), got(0, 'claimed')), got(0, slip))
      expect(stopped.state).toBe('stopped')
      expect(stopped.unprinted).toBe('A00')
      expect(nextKey(goOn(stopped))).toBe('k1')
      expect(looked(answered(goOn(stopped), got(1, 'claimed')), got(1, slip))).toMatchObject({ state: 'done', unprinted: 'A01' })
    }
  })
  it('shows a single ticket at once, and goes on without paper where none was asked for', () => {
    expect(answered(begin(keys(1)), got(0, 'claimed')).state).toBe('done')
    expect(nextKey(answered(begin(keys(2)), got(0, 'none')))).toBe('k1')
  })
  it('goes on with the slip that was being printed when somebody stopped', () => {
    const halted = halt(answered(begin(keys(1).concat('k1')), got(0, 'claimed')))
    expect(halted.state).toBe('stopped')
    expect(printing(goOn(halted))?.ticket.number).toBe('A00')
  })
  it('issues at most twenty', () => {
    expect(begin(keys(25)).keys).toHaveLength(BATCH_MOST)
  })
  it('stops at the first that fails and goes on with the same key: none is issued twice', () => {
    const stopped = failed(answered(begin(keys(3)), got(0)), { zh: '没有回答', en: '' })
    expect(nextKey(stopped)).toBeNull()
    expect(stopped.problem?.zh).toBe('没有回答')
    expect(nextKey(goOn(stopped))).toBe('k1')
  })
  it('stops when asked, and keeps the ticket that was on its way', () => {
    const halted = halt(begin(keys(2)))
    expect(nextKey(halted)).toBeNull()
    const late = answered(halted, got(0))
    expect(late.taken).toHaveLength(1)
    expect(late.state).toBe('stopped')
    expect(nextKey(goOn(late))).toBe('k1')
    expect(answered(late, got(1)).state).toBe('done')
  })
})

describe('UX G-06', () => {
  it('locks after three minutes without a touch', () => {
    expect(LOCK_MS).toBe(180_000)
    expect(locked(1000, 1000 + LOCK_MS - 1)).toBe(false)
    expect(locked(1000, 1000 + LOCK_MS)).toBe(true)
  })
})

describe('a lost slip', () => {
  it('is looked for half an hour around the time that the person remembers', () => {
    expect(spanOf('hour', '9:15', '10:30')).toEqual({ from: '08:45', to: '09:45' })
    expect(spanOf('hour', '9：15', '10:30').from).toBe('08:45')
  })
  it('or back from now, never into yesterday', () => {
    expect(spanOf('quarter', '', '10:30')).toEqual({ from: '10:15', to: '10:30' })
    expect(spanOf('day', 'nonsense', '10:30')).toEqual({ from: '00:00', to: '10:30' })
    expect(spanOf('hour', '', '00:20').from).toBe('00:00')
    expect(spanOf('hour', '23:50', '10:30').to).toBe('23:59')
  })
})

describe('alarms and devices', () => {
  const alarm = (id: string, code: string, level: string, since: number, by = ''): AlarmDocument => ({ id, code, level, since, acknowledged_by: by, action: '', subject: '', text: { zh: id, en: '' } })
  it('puts who asks for help first, then failed prints, then the longest; what is taken care of last', () => {
    const sorted = sortAlarms([alarm('wait', 'wait', 'alert', 1), alarm('taken', 'help', 'alert', 0, '王'), alarm('print', 'print', 'alert', 9), alarm('help2', 'help', 'alert', 8), alarm('help1', 'help', 'alert', 3), alarm('paper', 'paper', 'warn', 0)])
    expect(sorted.map((entry) => entry.id)).toEqual(['help1', 'help2', 'print', 'wait', 'paper', 'taken'])
  })
  it('offers a printer that can print, near its end too (UX K-11)', () => {
    const printer = (state: DeviceDocument['printer'], device: DeviceDocument['state'] = 'online'): DeviceDocument => ({ id: 'p', kind: 'printer', name: { zh: '打印机', en: '' }, window: '', state: device, last_seen: null, last_error: '', printer: state, counters: {}, since: null, test: '', trial: null, page: null, sound: null, last_sent: null })
    expect([printer('ok'), printer('near_end'), printer('unreadable')].every(prints)).toBe(true)
    expect([printer('out'), printer('jam'), printer('cover'), printer('offline'), printer('ok', 'offline')].some(prints)).toBe(false)
  })
  it('stands under an English name with the Chinese one, and the phrase that was typed', () => {
    const hit = { name: '个体工商户设立登记', name_en: 'Register a sole trader', everyday: ['办个体执照', '摆摊办照', '个体户', '注册个体'] }
    expect(underName(hit, '', true)).toEqual(['个体工商户设立登记'])
    expect(underName(hit, 'sole', true)).toEqual(['个体工商户设立登记'])
    expect(underName(hit, ' 办照 ', true)).toEqual(['摆摊办照', '个体工商户设立登记'])
    expect(underName(hit, '办照', false)).toEqual(['办个体执照', '摆摊办照', '个体户'])
    expect(underName({ ...hit, name_en: '' }, '', true)).toEqual(['办个体执照', '摆摊办照', '个体户'])
  })
  it('reads a material as its name and form', () => {
    expect(material('居民身份证(原件)×1')).toEqual({ name: '居民身份证', form: '原件' })
    expect(material('居民身份证（逝者）(原件)×2')).toEqual({ name: '居民身份证（逝者）', form: '原件×2' })
    expect(material('照片')).toEqual({ name: '照片', form: '' })
  })
  it('says how long something has been, never like a time of day', () => {
    expect(ageOf(0, 187_000)).toEqual({ unit: 'minutes', n: 3 })
    expect(ageOf(0, 59_999)).toEqual({ unit: 'seconds', n: 59 })
    expect(ageOf(500, 0)).toEqual({ unit: 'seconds', n: 0 })
  })
})
