/** UX M-01, S-05, C-10: what an exception offers, what a new file changes, where a role goes. */
import { describe, expect, it } from 'vitest'
import type { AlarmDocument, DeviceDocument, WindowDocument } from '../src/core/wire'
import { aboutOf, ordered, remedyOf, stateOf, subjectOf, windowsOfQueue, wordOf } from '../src/manager/alarms'
import { changesBetween } from '../src/manager/changes'
import { counted, faulty, heardAt, kindsOf, ownError, pressed, ratesBy, sentAt, shareOf as usableShare } from '../src/manager/devices'
import en from '../src/manager/en.json'
import { shareOf, staffOf } from '../src/manager/figures'
import { outcomeOf, printsNow } from '../src/manager/slips'
import zh from '../src/manager/zh-CN.json'

const windows = ['3', '5', '10'].map((id) => ({ id, plate: id, name: { zh: id, en: '' } }) as WindowDocument)
const alarm = (code: string, subject: string, level = 'alert', since = 0, by = ''): AlarmDocument => ({ id: `${code}:${subject}`, code, subject, level, since, acknowledged_by: by, action: '', text: { zh: '', en: '' } })

describe('UX M-01 exceptions', () => {
  it('each offers its own action', () => {
    expect(remedyOf(alarm('window-idle', '5'), windows)).toEqual({ kind: 'window', window: '5' })
    expect(remedyOf(alarm('single-wait', '3~,10'), windows)).toEqual({ kind: 'windows', windows: ['3', '10'] })
    expect(remedyOf(alarm('printer-out', 'p1'), windows)).toEqual({ kind: 'device', device: 'p1' })
    expect(remedyOf(alarm('help', 't1'), windows)).toEqual({ kind: 'ticket', ticket: 't1' })
    expect(remedyOf(alarm('no-bundle-window', ''), windows)).toEqual({ kind: 'windows', windows: ['3', '5', '10'] })
    expect(remedyOf(alarm('something-new', ''), windows)).toBeNull()
    expect(remedyOf(alarm('queue-stranded', '@1017'), windows)).toEqual({ kind: 'windows', windows: ['3', '5', '10'] })
    expect(remedyOf({ ...alarm('print', 't1'), action: 'reprint' }, windows)).toEqual({ kind: 'reprint', ticket: 't1' })
    expect(remedyOf(alarm('queue-stranded', '10'), windows)).toEqual({ kind: 'windows', windows: ['10'] })
    expect(remedyOf(alarm('queue-stranded', '10'), windows, true)).toEqual({ kind: 'slips' })
  })
  it('a slip that was not printed and a silent loudspeaker are not called late', () => {
    expect(['print', 'voice', 'clock', 'single-wait', 'something-new'].map(wordOf)).toEqual(['print', 'voice', 'clock', null, 'other'])
  })
  it('UX M-02 a bad rating has a word of its own, and is of the window where it was given', () => {
    expect(stateOf(alarm('bad-rating', '3'))).toBe('over')
    expect(zh.mgr.alarm[wordOf('bad-rating') as 'bad-rating']).toBe('差评')
    expect(subjectOf(alarm('bad-rating', '3'), { windows, queues: [], devices: [] })).toMatchObject({ plate: '3' })
  })
  it('a queue of one window is not that window', () => {
    expect(aboutOf('queue-stranded')).toBe('queue')
    expect(subjectOf(alarm('queue-stranded', '5'), { windows, queues: [], devices: [] })).toBeNull()
    const device = { id: 'printer-1', name: { zh: '取号机1', en: 'Kiosk 1' } } as DeviceDocument
    expect(subjectOf(alarm('printer-out', 'printer-1'), { windows, queues: [], devices: [device] })).toEqual({ plate: '', name: device.name })
    expect(subjectOf(alarm('window-idle', '5'), { windows, queues: [], devices: [] })).toMatchObject({ plate: '5' })
  })
  it('a queue whose windows are unknown offers all', () => {
    expect(windowsOfQueue('99', windows)).toEqual(['3', '5', '10'])
  })
  it('an unknown code still has a state by its level', () => {
    expect([stateOf({ code: 'x', level: 'alert' }), stateOf({ code: 'x', level: 'warn' })]).toEqual(['over', 'near_limit'])
  })
  it('alerts first, seen last, oldest first', () => {
    const list = [alarm('a', '', 'warn', 1), alarm('b', '', 'alert', 3), alarm('c', '', 'alert', 2), alarm('d', '', 'alert', 0, 'Li')]
    expect(ordered(list).map((each) => each.code)).toEqual(['c', 'b', 'a', 'd'])
  })
})

describe('UX S-05 changes of a file', () => {
  it('names the lines that go and come, and nothing else', () => {
    expect(changesBetween('a\nb\nc', 'a\nx\nc')).toEqual([{ sign: '-', line: 2, text: 'b' }, { sign: '+', line: 2, text: 'x' }])
    expect(changesBetween('a\nb\n\nc', 'a\nx\n\nc')).toHaveLength(2)
    expect(changesBetween('a\nb', 'a\r\nb')).toEqual([])
    expect(changesBetween('a', 'a\nb')).toEqual([{ sign: '+', line: 2, text: 'b' }])
    expect(changesBetween('a\nb', '')).toHaveLength(3)
  })
  it('finds its way after a block in a big file', () => {
    const lines = Array.from({ length: 6000 }, (_, index) => `key_${index} = ${index}`)
    const now = [...lines.slice(0, 3000), 'new = 1', ...lines.slice(3010)]
    const found = changesBetween(lines.join('\n'), now.join('\n'))
    expect([found.filter((each) => each.sign === '-').length, found.filter((each) => each.sign === '+').length]).toEqual([10, 1])
  })
})

describe('RULES 37 devices', () => {
  const device = (kind: string, more: Partial<DeviceDocument> = {}): DeviceDocument => ({ id: kind, kind, name: { zh: kind, en: '' }, window: '', state: 'online', last_seen: 0, last_error: '', printer: null, counters: {}, since: null, test: '', trial: null, page: null, sound: null, last_sent: null, ...more })
  it('a printer without paper is faulty though online; paper near its end is not yet', () => {
    expect([faulty(device('printer', { printer: 'out' })), faulty(device('printer', { printer: 'near_end' })), faulty(device('strip', { state: 'unknown' }))]).toEqual([true, false, true])
  })
  it('a keypad or rating pad that nobody pressed yet is no fault (HARDWARE 1.1)', () => {
    const pad = device('rating_pad', { state: 'unknown', window: '3' })
    expect([faulty(pad), faulty(device('keypad', { state: 'unknown' })), kindsOf([pad])[0]]).toEqual([false, false, { kind: 'rating_pad', total: 1, bad: 0, offline: 0, silent: 1 }])
    const ways = (['online', 'degraded', 'unknown'] as const).map((rating_device) => ratesBy({ rating_device, rating_qr: false }))
    expect(ways).toEqual(['device', 'device', 'silent'])
    expect(ratesBy({ rating_device: 'unknown', rating_qr: true })).toBe('qr')
  })
  it('UX W-08: of a strip it is told when it was last sent something, of others while they were never heard', () => {
    const at = (kind: string, last_seen: number | null) => sentAt(device(kind, { last_seen, last_sent: 8 }))
    expect([at('strip', null), at('strip', 5), at('board', 5), at('rating_pad', null), at('keypad', 5)]).toEqual([8, 8, 8, 8, null])
    expect(sentAt(device('strip', { last_seen: null }))).toBeNull()
  })
  it('RULES 37: a pad that is unknown again says since when nobody pressed it, of several the last', () => {
    const pads = [device('rating_pad', { window: '3', last_seen: 5 }), device('rating_pad', { window: '3', last_seen: 9 }), device('rating_pad', { window: '4', last_seen: null }), device('keypad', { window: '4', last_seen: 7 })]
    expect([heardAt(pads, '3'), heardAt(pads, '4'), heardAt(pads, '5')]).toEqual([9, null, null])
  })
  it('RULES 89: the server\'s own last errors have words in both languages; displays and zones are not pressed', () => {
    const codes = Object.keys(zh.mgr['own-error'])
    expect(codes).toEqual(Object.keys(en.mgr['own-error']))
    expect([codes.map(ownError), ownError('no answer to 3 polls')]).toEqual([[true, true, true], false])
    expect(['keypad', 'id_reader', 'hall', 'zone', 'led', 'other'].map(pressed)).toEqual([true, true, false, false, false, false])
  })
  it('never says 100 % of a day that lacks a second', () => {
    expect([usableShare(0, 0), usableShare(3_600_000, 3_600_000), usableShare(3_600_000, 3_599_000), usableShare(1000, 0)]).toEqual([null, '100.0', '99.9', '0.0'])
  })
  it('counters have words and an order, and zeros say nothing', () => {
    expect(counted(device('printer', { counters: { odd: 1, printed: 3, failed: 0, offline_today: 2 } }))).toEqual([{ name: 'offline_today', known: true, n: 2 }, { name: 'printed', known: true, n: 3 }, { name: 'odd', known: false, n: 1 }])
  })
  it('kinds with faults come first', () => {
    expect(kindsOf([device('keypad'), device('keypad'), device('strip', { state: 'offline' }), device('robot')]).map((each) => [each.kind, each.total, each.bad])).toEqual([['strip', 1, 1], ['keypad', 2, 0], ['other', 1, 0]])
  })
})

describe('RULES 36, 23: the counted day', () => {
  it('never says 100 % while one service went without an invitation', () => {
    expect([{ served: 0, invited: 0 }, { served: 3, invited: 3 }, { served: 1000, invited: 999 }, { served: 4, invited: 0 }].map(shareOf)).toEqual([100, 100, 99, 0])
  })
  it('tells two clerks of one name apart', () => {
    expect([staffOf({ staff: '1003', staff_name: '王敏' }), staffOf({ staff: '1003', staff_name: '' })]).toEqual(['王敏 1003', '1003'])
  })
})

describe('RULES 34: slips of a day that ends', () => {
  it('the print of the ticket is not the print of its slip', () => {
    expect(outcomeOf({ slips: 0, print_state: 'printed' })).toBe('none')
    expect((['claimed', 'printed', 'failed', 'unknown'] as const).map((print_state) => outcomeOf({ slips: 1, print_state }))).toEqual(['claimed', 'printed', 'failed', 'unknown'])
  })
  it('only a printer that says it has paper is asked for many slips', () => {
    const printer = (printer: DeviceDocument['printer'], state: DeviceDocument['state'] = 'online') => printsNow({ kind: 'printer', state, printer })
    expect([printer('ok'), printer('near_end'), printer('ok', 'degraded')]).toEqual([true, true, true])
    expect([printer('out'), printer(null), printer('unreadable'), printer('ok', 'offline'), printsNow({ kind: 'strip', state: 'online', printer: null })]).toEqual([false, false, false, false, false])
  })
})
