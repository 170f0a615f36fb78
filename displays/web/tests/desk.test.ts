/** UX C-01, C-03, C-04, C-06, C-07, 13.11: the keyboard map and the desk as values. */
import { describe, expect, it } from 'vitest'
import { allowed, clockOf, keysOf, phaseOf, PressGuard, stripKeysOf, thresholdOf, wishOf, type DeskInput } from '../src/console/desk'
import { comboOf, DEEDS, DEFAULT_KEYS, deedOf, padStep, readKeys, refusal, type Stroke } from '../src/console/keys'
import type { Action, DeskDocument, TicketDocument } from '../src/core/wire'

const stroke = (key: string, code = key, more: Partial<Stroke> = {}): Stroke => ({ key, code, ctrlKey: false, altKey: false, shiftKey: false, metaKey: false, repeat: false, ...more })
const ticket = (state: string): TicketDocument => ({ id: 't', number: 'A016', state } as TicketDocument)
const action = (name: string, ok: boolean, zh = ''): Action => ({ name, allowed: ok, code: ok ? '' : 'no', why: { zh, en: '' } })
const desk = (more: Partial<DeskDocument> = {}): DeskDocument => ({ ticket: null, service: '', started_at: null, typical_s: null, note: '', passed_on: '', actions: [], undo: null, asked: null, recall_at: null, ...more })
const input = (more: Partial<DeskInput> = {}): DeskInput => ({ desk: desk(), window: { state: 'idle' }, age: 'fresh', noNumbers: false, nowMs: 100_000, ...more })

describe('UX C-04 the key map', () => {
  it('is the stated one', () => {
    const map: Record<string, string> = { F2: 'next', F3: 'recall', F4: 'no-show', F6: 'arrive', F7: 'transfer', F8: 'park', F9: 'finish', F10: 'pause', F1: 'card' }
    for (const key of Object.keys(map)) expect(deedOf(stroke(key), DEFAULT_KEYS)).toBe(map[key])
    expect(deedOf(stroke('F9', 'F9', { shiftKey: true }), DEFAULT_KEYS)).toBe('not-done')
    expect(deedOf(stroke('h', 'KeyH', { ctrlKey: true, altKey: true }), DEFAULT_KEYS)).toBe('help')
  })
  it('13.11 no bare letter, digit or sign ever means anything', () => {
    for (let code = 32; code < 127; code += 1) {
      const key = String.fromCharCode(code)
      for (const shiftKey of [false, true]) expect(deedOf(stroke(key, /[a-z]/i.test(key) ? `Key${key.toUpperCase()}` : `X${code}`, { shiftKey }), DEFAULT_KEYS)).toBeNull()
    }
  })
  it('takes function keys and Ctrl+Alt only, none of the browser’s, none twice', () => {
    expect(refusal('A', 'next', DEFAULT_KEYS)).toBe('bare')
    expect(refusal('Ctrl+P', 'next', DEFAULT_KEYS)).toBe('bare')
    expect(refusal('Ctrl+Alt+ArrowUp', 'next', DEFAULT_KEYS)).toBe('bare')
    for (const key of ['F5', 'F11', 'F12']) expect(refusal(key, 'next', DEFAULT_KEYS)).toBe('reserved')
    expect(refusal('F3', 'next', DEFAULT_KEYS)).toBe('taken')
    expect(refusal('Ctrl+Alt+N', 'next', DEFAULT_KEYS)).toBeNull()
  })
  it('comes back from the PC, and falls back when what was kept is broken or doubled', () => {
    expect(readKeys('{"next":"Ctrl+Alt+N"}').next).toBe('Ctrl+Alt+N')
    expect(readKeys('{"next":"n"}')).toEqual(DEFAULT_KEYS)
    expect(readKeys('{"next":"F3"}')).toEqual(DEFAULT_KEYS)
    expect(readKeys('not json')).toEqual(DEFAULT_KEYS)
    expect(new Set(DEEDS.map((deed) => DEFAULT_KEYS[deed])).size).toBe(DEEDS.length)
  })
  it('names a letter by its key, whatever the input method makes of it', () => {
    expect(comboOf(stroke('ｄ', 'KeyD', { ctrlKey: true, altKey: true }))).toBe('Ctrl+Alt+D')
    expect(comboOf(stroke('Shift'))).toBe('')
  })
})

describe('UX C-04 the keypad box', () => {
  it('Enter next, + recall, - no-show, * transfer', () => {
    expect(padStep(stroke('Enter', 'NumpadEnter'), '')).toEqual({ kind: 'deed', deed: 'next' })
    expect(padStep(stroke('+', 'NumpadAdd'), '')).toEqual({ kind: 'deed', deed: 'recall' })
    expect(padStep(stroke('-', 'NumpadSubtract'), '')).toEqual({ kind: 'deed', deed: 'no-show' })
    expect(padStep(stroke('*', 'NumpadMultiply'), '')).toEqual({ kind: 'deed', deed: 'transfer' })
  })
  it('digits and Enter call that number; digits can be taken back and are bounded', () => {
    expect(padStep(stroke('1', 'Numpad1'), '')).toEqual({ kind: 'digits', digits: '1' })
    expect(padStep(stroke('2', 'Numpad2'), '1')).toEqual({ kind: 'digits', digits: '12' })
    expect(padStep(stroke('Enter', 'NumpadEnter'), '12')).toEqual({ kind: 'call', digits: '12' })
    expect(padStep(stroke('Backspace', 'Backspace'), '12')).toEqual({ kind: 'digits', digits: '1' })
    expect(padStep(stroke('9', 'Numpad9'), '12345')).toEqual({ kind: 'digits', digits: '12345' })
  })
  it('leaves the main keyboard alone, and Num Lock does not matter', () => {
    expect(padStep(stroke('Enter', 'Enter'), '')).toBeNull()
    expect(padStep(stroke('1', 'Digit1'), '')).toBeNull()
    expect(padStep(stroke('ArrowLeft', 'Numpad4'), '')).toEqual({ kind: 'digits', digits: '4' })
    expect(padStep(stroke('Backspace', 'Backspace'), '')).toBeNull()
  })
})

describe('UX C-01 the desk', () => {
  it('knows its phase from the newest desk', () => {
    expect(phaseOf(desk(), { state: 'paused' })).toBe('paused')
    expect(phaseOf(desk({ ticket: ticket('called') }), { state: 'idle' })).toBe('called')
    expect(phaseOf(desk({ ticket: ticket('serving') }), { state: 'called' })).toBe('serving')
    expect(phaseOf(desk({ service: 's', started_at: 5 }), { state: 'idle' })).toBe('serving')
    expect(phaseOf(desk(), { state: 'serving' })).toBe('idle')
  })
  it('every key keeps its place in every phase; the main key says the next step', () => {
    const mains = { closed: 'open', idle: 'call-next', called: 'arrive', serving: 'finish', paused: 'resume' } as const
    for (const phase of ['closed', 'idle', 'called', 'serving', 'paused'] as const) {
      const held = phase === 'called' || phase === 'serving' ? ticket(phase) : null
      const keys = keysOf(input({ desk: desk({ ticket: held }), window: { state: phase } }))
      expect(keys.map((key) => key.place)).toEqual(['main', 'recall', 'no-show', 'transfer', 'second', 'park', 'not-done', 'pause'])
      expect(keys[0].wish).toBe(mains[phase])
      expect(stripKeysOf(input({ desk: desk({ ticket: held }), window: { state: phase } }))).toHaveLength(3)
    }
  })
  it('an off key has the server’s reason', () => {
    const keys = keysOf(input({ desk: desk({ actions: [action('pause', false, '先处理 A016')] }) }))
    expect(keys.find((key) => key.place === 'pause')).toMatchObject({ off: true, why: { zh: '先处理 A016' } })
  })
  it('a resting key has room for a few words, the sentence is said on a press', () => {
    const here: Action = { name: 'recall', allowed: false, code: 'arrived-already', why: { zh: 'A016 已经到场，正在办理。', en: 'A016 has arrived and is being served.' } }
    expect(allowed('recall', input({ desk: desk({ ticket: ticket('serving'), actions: [here] }) }))).toMatchObject({ off: true, whyKey: 'desk.why.arrived', why: here.why })
    const rare: Action = { ...here, code: 'rare' }
    expect(allowed('recall', input({ desk: desk({ actions: [rare] }) }))).toMatchObject({ off: true, whyKey: '', why: here.why })
  })
  it('time alone opens recall and closes undo', () => {
    const called = desk({ ticket: ticket('called'), recall_at: 106_000, actions: [action('recall', false)] })
    expect(allowed('recall', input({ desk: called }))).toMatchObject({ off: true, seconds: 6, whyKey: 'desk.why.recall-in' })
    expect(allowed('recall', input({ desk: called, nowMs: 106_000 })).off).toBe(false)
    const done = desk({ undo: { what: 'finish', number: 'A1', until: 105_000 }, actions: [action('undo', true)] })
    expect(allowed('undo', input({ desk: done })).off).toBe(false)
    expect(allowed('undo', input({ desk: done, nowMs: 105_000 })).off).toBe(true)
  })
  it('UX X-06 no key works on old data, all work while reconnecting', () => {
    expect(allowed('call-next', input({ age: 'old' }))).toMatchObject({ off: true, whyKey: 'desk.why.offline' })
    expect(allowed('call-next', input({ age: 'reconnecting' })).off).toBe(false)
  })
  it('RULES 23 a session without the permission keeps the key grey', () => {
    expect(allowed('call', input({ noNumbers: true }))).toMatchObject({ off: true, whyKey: 'desk.why.no-permission' })
    expect(allowed('call', input()).off).toBe(false)
  })
  it('F10 resumes a paused window and F2 opens a closed one', () => {
    expect(wishOf('pause', 'paused')).toBe('resume')
    expect(wishOf('pause', 'idle')).toBe('pause')
    expect(wishOf('next', 'closed')).toBe('open')
    expect(wishOf('card', 'idle')).toBeNull()
  })
})

describe('UX C-06 presses', () => {
  it('the same key within a second is one, and nothing goes out while an answer is awaited', () => {
    const guard = new PressGuard()
    expect(guard.press('call-next', 0)).toBe(true)
    expect(guard.press('arrive', 10)).toBe(false)
    guard.done()
    expect(guard.press('call-next', 999)).toBe(false)
    expect(guard.press('arrive', 999)).toBe(true)
    guard.done()
    expect(guard.press('call-next', 1000)).toBe(true)
  })
})

describe('UX C-03 clocks', () => {
  it('amber from 80 %, red from 100 %', () => {
    expect([479, 480, 599, 600].map((s) => thresholdOf(s * 1000, 600))).toEqual(['calm', 'near', 'near', 'over'])
    expect(thresholdOf(9e9, null)).toBe('calm')
  })
  it('counts minutes and hours', () => {
    expect([0, 18_999, 452_000, 3_600_000, 36_061_000].map(clockOf)).toEqual(['0:00', '0:18', '7:32', '1:00:00', '10:01:01'])
  })
})
