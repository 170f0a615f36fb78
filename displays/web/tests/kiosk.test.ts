/** The kiosk's session and its words for waits: UX K-08 to K-13, 13.7, RULES 31. */
import { describe, expect, it } from 'vitest'
import { fitted, listed, middled, type Said } from '../src/kiosk/tiles'
import {
  ASK_MS, fresh, hears, IDLE_MS, IDLE_SLOW_MS, INERT_HOME_MS, INERT_RESULT_MS, leavesAt, MODES, paperOf, reduce, STAY_MS, STAY_SCREEN_MS, STAY_UNSURE_MS, STAY_WORDS_MS, untouched,
  type Choice, type Session, type Step,
} from '../src/kiosk/session'
import { sentenceFor } from '../src/kiosk/guidance'
import { minutesRange, splitFigures } from '../src/core/waits'
import type { PrintState, TicketDocument, TicketTaken } from '../src/core/wire'
import { taken as asTaken, ticket } from '../src/fixtures/kiosk'

const card: Choice = { id: 'sb-ka', kind: 'matter', name: { zh: '社保卡', en: '' } }
const home: Choice = { id: 'bdc', kind: 'matter', name: { zh: '查房', en: '' } }
const baby: Choice = { id: 'b-baby', kind: 'bundle', name: { zh: '新生儿', en: '' } }
const T = 1_000_000

function run(session: Session, ...steps: [number, Step][]): Session {
  return steps.reduce((held, [at, step]) => reduce(held, step, at), session)
}
function answered(state: PrintState = 'claimed', change: Partial<TicketDocument> = {}): TicketTaken {
  return asTaken(ticket('A017', state, change))
}
function result(state: PrintState = 'claimed', paper = true): Session {
  return run(fresh(0), [T - 200, { step: 'choose', choice: card, key: 'k1' }], [T, { step: 'taken', key: 'k1', taken: answered(state), paper }])
}

describe('UX K-08: one tap, one ticket', () => {
  it('locks everything until the answer', () => {
    const issuing = run(fresh(0), [10, { step: 'choose', choice: card, key: 'k1' }])
    expect(issuing.issuing?.key).toBe('k1')
    for (const step of [{ step: 'choose', choice: home, key: 'k2' }, { step: 'go', to: 'search' }, { step: 'mode', mode: 'elder' }, { step: 'leave' }] as Step[]) expect(reduce(issuing, step, 20)).toBe(issuing)
    // Time alone never ends a request on its way.
    expect(reduce(issuing, { step: 'tick' }, 200_000)).toBe(issuing)
  })
  it('13.7: ten taps a second for two seconds are one ticket, wherever the answer falls between them', () => {
    for (let answerAt = 0; answerAt <= 2000; answerAt += 50) {
      let session = fresh(0)
      const keys = new Set<string>()
      for (let at = 0; at <= 2000; at += 100) {
        if (session.issuing !== null && at >= answerAt) session = reduce(session, { step: 'taken', key: session.issuing.key, taken: answered(), paper: true }, at)
        // The same place holds a tile before and the key 完成 after the answer.
        session = reduce(session, { step: 'touch', onControl: true }, at)
        session = reduce(session, session.page.name === 'home' ? { step: 'choose', choice: card, key: `k${at}` } : { step: 'leave' }, at)
        if (session.issuing !== null) keys.add(session.issuing.key)
      }
      expect([answerAt, keys.size]).toEqual([answerAt, 1])
    }
  })
  it('drops an answer that belongs to no request on its way', () => {
    const held = result()
    expect(reduce(held, { step: 'taken', key: 'other', taken: answered(), paper: true }, T + 10)).toBe(held)
    expect(reduce(fresh(0), { step: 'refused', key: 'k', text: { zh: '', en: '' }, again: false }, 5)).toEqual(fresh(0))
  })
  it('asks again with the key of the first tap when no answer came', () => {
    const refused = run(fresh(0), [10, { step: 'choose', choice: card, key: 'k1' }], [9000, { step: 'refused', key: 'k1', text: { zh: '没有回答', en: '' }, again: true }])
    expect(refused.page.name).toBe('refused')
    expect(reduce(refused, { step: 'again' }, 9000 + INERT_RESULT_MS + 1).issuing?.key).toBe('k1')
    const final = run(fresh(0), [10, { step: 'choose', choice: card, key: 'k1' }], [900, { step: 'refused', key: 'k1', text: { zh: '', en: '' }, again: false }])
    expect(reduce(final, { step: 'again' }, 9000).issuing).toBeNull()
  })
})

describe('UX K-09, K-11, K-12: the result', () => {
  it('stays 8 s when the paper is out, 15 s while nobody knows, 30 s when it is on the screen only', () => {
    expect(leavesAt(result('printed')) - T).toBe(STAY_MS)
    expect(leavesAt(result('claimed')) - T).toBe(STAY_UNSURE_MS)
    expect(leavesAt(result('unknown')) - T).toBe(STAY_UNSURE_MS)
    expect(leavesAt(result('failed')) - T).toBe(STAY_SCREEN_MS)
    expect(leavesAt(result('none', false)) - T).toBe(STAY_SCREEN_MS)
    expect(STAY_MS).toBeGreaterThanOrEqual(8000)
  })
  it('leaves no trace of the last person', () => {
    const gone = reduce(result('printed'), { step: 'tick' }, T + STAY_MS)
    expect(untouched(gone)).toBe(true)
    expect(JSON.stringify(gone)).not.toContain('A017')
  })
  it('stays twice as long for who reads slowly', () => {
    const elder = run(fresh(0), [1, { step: 'mode', mode: 'elder' }], [2, { step: 'choose', choice: card, key: 'k' }], [T, { step: 'taken', key: 'k', taken: answered('printed'), paper: true }])
    expect(leavesAt(elder) - T).toBe(2 * STAY_MS)
  })
  it('goes when the next person touches, not before 8 s and not for a key', () => {
    const page = result()
    expect(reduce(page, { step: 'touch', onControl: false }, T + STAY_MS - 1).page.name).toBe('result')
    expect(reduce(page, { step: 'touch', onControl: true }, T + STAY_MS + 1).page.name).toBe('result')
    const next = reduce(page, { step: 'touch', onControl: false }, T + STAY_MS)
    expect(next.page.name).toBe('home')
    // The touch that closed it must not take a ticket in the same place.
    expect(reduce(next, { step: 'choose', choice: card, key: 'k2' }, T + STAY_MS + INERT_HOME_MS - 1).issuing).toBeNull()
  })
  it('follows its paper, and another ticket’s paper changes nothing', () => {
    const page = reduce(result(), { step: 'ticket', ticket: ticket('A017', 'failed') }, T + 500)
    expect(page.page.name === 'result' && page.page.taken.ticket.print_state).toBe('failed')
    expect(reduce(page, { step: 'ticket', ticket: ticket('B002', 'printed') }, T + 600)).toBe(page)
  })
  it('prints again once', () => {
    const asked = reduce(result('unknown'), { step: 'reprint' }, T + 3000)
    expect(asked.page.name === 'result' && asked.page.reprint).toBe('asked')
    const twice = reduce(asked, { step: 'reprint' }, T + 3100)
    expect(twice.page).toBe(asked.page)
    expect(leavesAt(asked)).toBe(T + 3000 + STAY_UNSURE_MS)
    const failed = reduce(asked, { step: 'reprinted', ok: false }, T + 3200)
    expect(failed.page.name === 'result' && failed.page.reprint).toBe('failed')
  })
  it('names what became of the paper', () => {
    expect(paperOf(false, 'none', 'no')).toBe('screen')
    expect(paperOf(true, 'claimed', 'no')).toBe('printing')
    expect(paperOf(true, 'printed', 'no')).toBe('printed')
    expect(paperOf(true, 'unknown', 'no')).toBe('unsure')
    expect(paperOf(true, 'failed', 'no')).toBe('failed')
    expect(paperOf(true, 'printed', 'failed')).toBe('failed')
    expect(paperOf(true, 'none', 'no')).toBe('screen')
  })
})

describe('UX K-10: nobody there', () => {
  const inner = reduce(fresh(0), { step: 'go', to: 'search' }, T)
  it('asks after 30 s on inner pages, then goes home after 20 s', () => {
    expect(reduce(inner, { step: 'tick' }, T + IDLE_MS - 1).askedAt).toBeNull()
    const asking = reduce(inner, { step: 'tick' }, T + IDLE_MS)
    expect(asking.askedAt).toBe(T + IDLE_MS)
    expect(reduce(asking, { step: 'tick' }, T + IDLE_MS + ASK_MS - 1).page.name).toBe('search')
    expect(untouched(reduce(asking, { step: 'tick' }, T + IDLE_MS + ASK_MS))).toBe(true)
    expect(ASK_MS).toBeGreaterThanOrEqual(20_000)
  })
  it('waits 60 s in 大字版 and with voice', () => {
    for (const mode of ['elder', 'voice'] as const) {
      const slow = reduce(inner, { step: 'mode', mode }, T)
      expect(reduce(slow, { step: 'tick' }, T + IDLE_SLOW_MS - 1).askedAt).toBeNull()
      expect(reduce(slow, { step: 'tick' }, T + IDLE_SLOW_MS).askedAt).not.toBeNull()
    }
  })
  it('can be extended more than ten times with one tap each (WCAG 2.2.1)', () => {
    let session = inner
    let at = T
    for (let turn = 0; turn < 12; turn += 1) {
      at += IDLE_MS
      session = reduce(session, { step: 'tick' }, at)
      expect(session.askedAt).toBe(at)
      session = reduce(session, { step: 'extend' }, at)
      expect(session.askedAt).toBeNull()
    }
    expect(session.page.name).toBe('search')
  })
  it('does not ask on an untouched home page, but does when its switches are on', () => {
    expect(reduce(fresh(0), { step: 'tick' }, 10 * IDLE_MS)).toEqual(fresh(0))
    const contrast = reduce(fresh(0), { step: 'mode', mode: 'contrast' }, 10)
    expect(reduce(contrast, { step: 'tick' }, 10 + IDLE_MS).askedAt).not.toBeNull()
  })
  it('takes a refusal and a call for help away after a while', () => {
    const refused = run(fresh(0), [10, { step: 'choose', choice: card, key: 'k' }], [T, { step: 'refused', key: 'k', text: { zh: '', en: '' }, again: false }])
    expect(reduce(refused, { step: 'tick' }, T + STAY_WORDS_MS).page.name).toBe('home')
    const help = reduce(fresh(0), { step: 'help' }, T)
    expect(reduce(help, { step: 'helped', ok: true }, T + 10).page).toMatchObject({ state: 'told' })
    expect(reduce(help, { step: 'tick' }, T + STAY_WORDS_MS).page.name).toBe('home')
  })
})

describe('UX K-06: switches', () => {
  it('work on every page and are reset when the session ends', () => {
    let session = fresh(0)
    for (const mode of MODES) session = reduce(session, { step: 'mode', mode }, 10)
    expect(MODES.every((mode) => session.modes[mode])).toBe(true)
    expect(MODES.some((mode) => reduce(session, { step: 'leave' }, 20).modes[mode])).toBe(false)
  })
  it('send the language with the ticket', () => {
    expect(run(fresh(0), [1, { step: 'mode', mode: 'english' }], [2, { step: 'choose', choice: card, key: 'k' }]).issuing?.english).toBe(true)
  })
})

describe('UX K-13, RULES 21: priority', () => {
  it('is asked of nobody, kept for the ticket, and gone with the session', () => {
    expect(run(fresh(0), [1, { step: 'choose', choice: card, key: 'k' }]).issuing?.priority).toBe('')
    const asked = run(fresh(0), [1, { step: 'go', to: 'priority' }], [2, { step: 'priority', id: 'elder' }])
    expect(asked.page.name).toBe('home')
    expect(reduce(asked, { step: 'choose', choice: card, key: 'k' }, 3).issuing?.priority).toBe('elder')
    expect(reduce(asked, { step: 'leave' }, 3).priority).toBe('')
    expect(reduce(asked, { step: 'priority', id: '' }, 3).priority).toBe('')
  })
})

describe('RULES 31: several matters, several filings, one number', () => {
  const two = run(fresh(0), [1, { step: 'add', choice: card }], [2, { step: 'go', to: 'home' }], [3, { step: 'choose', choice: home, key: 'x' }])
  it('adds instead of taking while something is chosen', () => {
    expect(two.issuing).toBeNull()
    expect(two.basket.map((choice) => choice.id)).toEqual(['sb-ka', 'bdc'])
    expect(reduce(two, { step: 'take', key: 'k' }, 4).issuing?.choices).toHaveLength(2)
  })
  it('holds each matter once, five at most, and never a bundle beside others', () => {
    expect(reduce(two, { step: 'add', choice: card }, 5).basket).toHaveLength(2)
    expect(reduce(two, { step: 'add', choice: baby }, 5).basket).toHaveLength(2)
    let full = two
    for (let at = 0; at < 9; at += 1) full = reduce(full, { step: 'add', choice: { ...card, id: `m${at}` } }, 10 + at)
    expect(full.basket).toHaveLength(5)
  })
  it('counts filings of one matter within 1…50', () => {
    const one = reduce(fresh(0), { step: 'add', choice: card }, 1)
    expect(reduce(one, { step: 'quantity', to: 0 }, 2).quantity).toBe(1)
    expect(reduce(one, { step: 'quantity', to: 51 }, 2).quantity).toBe(50)
    expect(run(one, [2, { step: 'quantity', to: 3 }], [3, { step: 'take', key: 'k' }]).issuing?.quantity).toBe(3)
    expect(run(two, [4, { step: 'quantity', to: 3 }], [5, { step: 'take', key: 'k' }]).issuing?.quantity).toBe(1)
  })
  it('goes home when the last one is taken away', () => {
    expect(run(two, [4, { step: 'remove', id: 'sb-ka' }], [5, { step: 'remove', id: 'bdc' }]).page.name).toBe('home')
  })
})

describe('figures on tiles', () => {
  it('says waits as ranges in minutes (UX P-02)', () => {
    expect(minutesRange(null, 900)).toBeNull()
    expect(minutesRange(0, 30)).toBe('1')
    expect(minutesRange(900, 1500)).toBe('15–25')
    expect(minutesRange(890, 1510)).toBe('14–26')
    expect(minutesRange(600, 600)).toBe('10')
  })
  it('finds the figures of a sentence', () => {
    expect(splitFigures('约 15–25 分钟').map((part) => part.n)).toEqual([false, true, false])
    expect(splitFigures('不用等')).toEqual([{ text: '不用等', n: false }])
  })
  it('K-04: shortens by rule what does not fit: a list loses its end, a name its middle, a reason nothing', () => {
    expect(listed('补社保卡、换三代卡、社保卡丢了', 2)).toBe('补社保卡、换三代卡')
    expect(middled('国有建设用地使用权及房屋所有权转移登记', 10)).toBe('国有建设用地…转移登记')
    expect(middled('Transfer of state land use right', 4)).toBe('Transfer of state…right')
    expect(middled('社保卡', 9)).toBe('社保卡')
    const over = (most: number) => (name: string, sub: string) => name.length + sub.length > most
    const said: Said = { name: '国有建设用地使用权首次登记', sub: '首次登记、新房办证', kind: 'list' }
    expect(fitted(said, over(99))).toEqual([said.name, said.sub])
    expect(fitted(said, over(18))).toEqual([said.name, '首次登记'])
    expect(fitted(said, over(12))).toEqual(['国有建设用…登记', '首次登记'])
    expect(fitted({ ...said, sub: '今日号已取完', kind: 'reason' }, over(14))).toEqual(['国有建设用…登记', '今日号已取完'])
  })
})

describe('UX K-03: a name beside its Chinese one', () => {
  const said: Said = { name: 'Freight vehicle certificate: cancel, suspend, resume', sub: '货物运输车辆道路运输证办理（注销、报停与恢复营运）', kind: 'name' }
  /** As wide as it is on the screen: a hanzi is two letters wide. */
  const wide = (text: string) => text.replace(/[\u2e80-\uffff]/g, 'xx').length
  const over = (most: number) => (name: string, sub: string) => wide(name) + wide(sub) > most
  it('is no list, whatever marks stand in it', () => {
    expect(fitted(said, over(92))).toEqual([said.name, '货物运输车辆道路运输证办…停与恢复营运）'])
  })
  it('and neither is cut to nothing while the other stands whole', () => {
    for (let most = wide(said.name) + wide(said.sub); most >= 36; most -= 1) {
      const [name, sub] = fitted(said, over(most))
      expect(over(most)(name, sub), `${name} ${sub}`).toBe(false)
      expect(name.split(/[ …]/).length, name).toBeGreaterThanOrEqual(3)
      expect(sub.replace('…', '').length, sub).toBeGreaterThanOrEqual(6)
    }
  })
  it('and has what room there is', () => {
    expect(fitted(said, over(70))[0]).toBe(said.name)
  })
})

describe('RULES 28: a passed ticket comes back with its slip', () => {
  const missed = { number: '017', code: '4711' }
  const typed = ['0', '1', '7', '9', '9'].reduce((held, figure, at) => reduce(held, { step: 'figure', figure }, 10 + at), run(fresh(0), [1, { step: 'go', to: 'missed' }]))
  it('takes four figures of each part and keeps the number while the code is typed', () => {
    expect(typed.page).toMatchObject({ name: 'missed', number: '0179', code: '', at: 'number' })
    const erased = reduce(typed, { step: 'erase' }, 20)
    const code = run(erased, [21, { step: 'part', at: 'code' }], [22, { step: 'figure', figure: '4' }])
    expect(code.page).toMatchObject({ number: '017', code: '4', at: 'code' })
  })
  it('asks under one key, shows the old number without paper, and forgets it', () => {
    const asking = reduce(typed, { step: 'missed', missed, key: 'k9' }, 30)
    expect(asking.issuing).toMatchObject({ key: 'k9', missed, choices: [] })
    expect(reduce(asking, { step: 'missed', missed, key: 'k10' }, 31)).toBe(asking)
    const back = reduce(asking, { step: 'taken', key: 'k9', taken: { ...answered('printed'), created: false }, paper: false }, T)
    expect(back.page).toMatchObject({ name: 'result', back: true })
    expect(leavesAt(back) - T).toBe(STAY_UNSURE_MS)
    expect(untouched(reduce(back, { step: 'tick' }, T + STAY_UNSURE_MS))).toBe(true)
  })
  it('says why not, as an answer about that ticket', () => {
    const refused = run(typed, [30, { step: 'missed', missed, key: 'k9' }], [40, { step: 'refused', key: 'k9', text: { zh: '正在排队', en: '' }, again: false }])
    expect(refused.page).toMatchObject({ name: 'refused', slip: true, again: null })
  })
})

describe('RULES 16, 86: an ID card', () => {
  const laid = { token: 'card-1', number: '', passed: false }
  const lay = (change: Partial<typeof laid> = {}): Step => ({ step: 'card', card: { ...laid, ...change }, key: 'c1' })

  it('names the person for the next ticket, on whatever page they stand', () => {
    for (const to of ['home', 'search', 'priority'] as const) {
      const held = run(fresh(0), [10, { step: 'go', to }], [20, lay()])
      expect([held.page.name, held.card]).toEqual([to, laid])
      expect(run(held, [30, { step: 'choose', choice: card, key: 'k1' }]).issuing).toMatchObject({ key: 'k1', card: laid })
    }
    expect(run(fresh(0), [10, { step: 'choose', choice: card, key: 'k1' }]).issuing).not.toHaveProperty('card')
  })
  it('asks for the ticket its holder has, at once where a slip is asked for', () => {
    const held = run(fresh(0), [10, lay({ number: 'A012' })])
    expect(held.issuing).toBeNull()
    expect(run(held, [20, { step: 'mine', key: 'm1' }]).issuing).toMatchObject({ key: 'm1', mine: true, card: { number: 'A012' } })
    for (const to of ['missed', 'slip'] as const) {
      const asking = run(fresh(0), [10, { step: 'go', to }])
      expect(run(asking, [20, lay({ number: 'A012' })]).issuing).toMatchObject({ mine: true })
      expect(run(asking, [20, lay()]).page.name).toBe('home')
    }
  })
  it('says that a missed ticket is back, and of one that waits only that it stands', () => {
    for (const passed of [true, false]) {
      const asked = run(fresh(0), [10, lay({ number: 'A017', passed })], [20, { step: 'mine', key: 'm1' }])
      const page = run(asked, [T, { step: 'taken', key: 'm1', taken: asTaken(ticket('A017', 'printed'), false), paper: true }]).page
      expect(page).toMatchObject({ name: 'result', back: passed })
    }
  })
  it('is gone with its person, and another takes its place', () => {
    const held = run(fresh(0), [10, lay()])
    expect(untouched(held)).toBe(false)
    expect(run(held, [10 + IDLE_MS, { step: 'tick' }], [10 + IDLE_MS + ASK_MS, { step: 'tick' }]).card).toBeNull()
    expect(run(held, [20, { step: 'leave' }]).card).toBeNull()
    expect(run(held, [20, { step: 'nocard' }]).card).toBeNull()
    expect(run(held, [20, lay({ token: 'card-2' })]).card?.token).toBe('card-2')
    expect(JSON.stringify(run(result('printed'), [T + INERT_RESULT_MS, lay()]))).not.toContain('A017')
  })
  it('is heard by nobody while a request is on its way, before a page is awake, and in the staff menu', () => {
    expect(hears(fresh(0), 10)).toBe(true)
    expect(hears(fresh(0, INERT_HOME_MS), INERT_HOME_MS - 1)).toBe(false)
    expect(hears(run(fresh(0), [10, { step: 'choose', choice: card, key: 'k1' }]), 20)).toBe(false)
    expect(hears(run(fresh(0), [10, { step: 'go', to: 'pin' }]), 20)).toBe(false)
  })
  it('a code that is no ticket is answered with a sentence, and the next person begins anew', () => {
    const text = { zh: '这个码不是本厅的号票', en: '' }
    const said = run(result('printed'), [T + INERT_RESULT_MS, { step: 'said', text }])
    expect(said.page).toMatchObject({ name: 'refused', text, again: null })
    expect(JSON.stringify(said)).not.toContain('A017')
    expect(run(said, [T + INERT_RESULT_MS + 1, lay()]).page.name).toBe('home')
  })
})

describe('UX K-06, K-07: the voice follows the page', () => {
  const on = reduce(fresh(0), { step: 'mode', mode: 'voice' }, 1)
  it('says the page, and the number with the people ahead as soon as it is there', () => {
    expect(sentenceFor(on, null)).toEqual({ phrase: 'home', number: '', ahead: -1 })
    expect(sentenceFor(reduce(on, { step: 'go', to: 'search' }, 2), null)?.phrase).toBe('search')
    expect(sentenceFor(result('claimed'), null)).toEqual({ phrase: 'paper', number: 'A017', ahead: 5 })
    expect(sentenceFor(result('failed'), null)?.phrase).toBe('photo')
    expect(sentenceFor(result('none', false), null)?.phrase).toBe('photo')
  })
  it('asks whether somebody is still there, and says when no tickets are given', () => {
    expect(sentenceFor({ ...on, askedAt: 5 }, null)?.phrase).toBe('still')
    expect(sentenceFor(on, 'closed')?.phrase).toBe('closed')
    expect(sentenceFor(on, 'offline')).toBeNull()
    expect(sentenceFor(reduce(on, { step: 'go', to: 'pin' }, 3), null)).toBeNull()
  })
  it('has the same words while the paper is on its way and when it is out: nothing is said twice', () => {
    expect(sentenceFor(result('claimed'), null)).toEqual(sentenceFor(result('printed'), null))
  })
})

describe('UX 1: the pad', () => {
  it('takes whole sentences in pinyin, as many letters as the server reads', () => {
    const pad = reduce(fresh(0), { step: 'go', to: 'search' }, 1)
    const longest = 'WAISHENGSHENFENZHENGNENGZAIZHEBUBU'
    expect(reduce(pad, { step: 'letters', letters: longest }, 2).page).toMatchObject({ letters: longest })
    expect(reduce(pad, { step: 'letters', letters: 'A'.repeat(41) }, 2).page).toMatchObject({ letters: 'A'.repeat(40) })
  })
  it('takes a word of twelve letters, and begins anew when the language changes', () => {
    const english = run(fresh(0), [1, { step: 'mode', mode: 'english' }], [2, { step: 'go', to: 'search' }], [3, { step: 'letters', letters: 'REGISTRATIONS' }])
    expect(english.page).toMatchObject({ letters: 'REGISTRATION' })
    expect(reduce(english, { step: 'mode', mode: 'english' }, 4).page).toMatchObject({ name: 'search', letters: '' })
  })
})
