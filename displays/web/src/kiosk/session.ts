/** What one person does at the kiosk, as a pure state machine: `reduce(session, step, nowMs)`. No clock, no request, no DOM. */
import type { PrintState, TicketDocument, TicketTaken, Words } from '../core/wire'

export type Mode = 'low' | 'elder' | 'contrast' | 'voice' | 'english'
export const MODES: Mode[] = ['low', 'elder', 'contrast', 'voice', 'english']

/** Something that can be put on a ticket. */
export interface Choice {
  id: string
  kind: 'matter' | 'bundle'
  name: Words
}

/** The figures of a passed ticket's number, and the check code of its slip. */
export interface Missed {
  number: string
  code: string
}

/** An ID card that was laid on (RULES 86): a token for its holder, and the number of a ticket they hold today or "". */
export interface Card {
  token: string
  number: string
  passed: boolean
}

/** One tap that asks for a ticket; the key makes every repetition the same request (UX K-08). */
export interface Attempt {
  key: string
  choices: Choice[]
  quantity: number
  priority: string
  english: boolean
  /** The token of a scanned slip: a passed ticket of today waits again (RULES 28), one of the day before is changed (RULES 34). */
  slip?: string
  /** The same for a passed ticket whose figures were typed. */
  missed?: Missed
  /** The card that lies there; `mine` asks for its holder's ticket instead of a new one. */
  card?: Card
  mine?: boolean
}

export type Page =
  | { name: 'home' }
  | { name: 'group'; id: string; title: Words }
  | { name: 'search'; letters: string }
  | { name: 'priority' }
  | { name: 'slip' }
  | { name: 'basket' }
  | { name: 'missed'; number: string; code: string; at: 'number' | 'code' }
  | { name: 'result'; taken: TicketTaken; title: Words; shownAt: number; paper: boolean; back: boolean; reprint: 'no' | 'asked' | 'done' | 'failed' }
  | { name: 'refused'; text: Words; again: Attempt | null; slip: boolean; shownAt: number }
  | { name: 'help'; state: 'asked' | 'told' | 'failed'; shownAt: number }
  | { name: 'pin' }
  | { name: 'staff' }

export interface Session {
  page: Page
  sheet: number
  priority: string
  basket: Choice[]
  quantity: number
  modes: Record<Mode, boolean>
  card: Card | null
  /** The request on its way; every tile is locked until it is answered. */
  issuing: Attempt | null
  touchedAt: number
  /** Taps before this do nothing: those of a person who taps ten times a second end up on the next page. */
  inertUntil: number
  /** Since when the page asks whether somebody is still there. */
  askedAt: number | null
}

export type Step =
  | { step: 'touch'; onControl: boolean }
  | { step: 'tick' }
  | { step: 'extend' }
  | { step: 'go'; to: 'home' | 'search' | 'priority' | 'slip' | 'missed' | 'basket' | 'pin' | 'staff' }
  | { step: 'figure'; figure: string }
  | { step: 'erase' }
  | { step: 'part'; at: 'number' | 'code' }
  | { step: 'missed'; missed: Missed; key: string }
  | { step: 'group'; id: string; title: Words }
  | { step: 'sheet'; to: number }
  | { step: 'letters'; letters: string }
  | { step: 'mode'; mode: Mode }
  | { step: 'priority'; id: string }
  | { step: 'choose'; choice: Choice; key: string }
  | { step: 'add'; choice: Choice }
  | { step: 'remove'; id: string }
  | { step: 'quantity'; to: number }
  | { step: 'take'; key: string }
  | { step: 'slip'; token: string; key: string }
  | { step: 'card'; card: Card; key: string }
  | { step: 'mine'; key: string }
  | { step: 'nocard' }
  | { step: 'said'; text: Words }
  | { step: 'again' }
  | { step: 'taken'; key: string; taken: TicketTaken; paper: boolean }
  | { step: 'refused'; key: string; text: Words; again: boolean }
  | { step: 'ticket'; ticket: TicketDocument }
  | { step: 'reprint' }
  | { step: 'reprinted'; ok: boolean }
  | { step: 'help' }
  | { step: 'helped'; ok: boolean }
  | { step: 'leave' }

export const TILES = 8
export const ELDER_TILES = 4
/** Pinyin of a whole sentence, as many letters as the server reads. */
export const LETTERS_MOST = 40
export const LETTERS_MOST_EN = 12
export const FIGURES_MOST = 4
export const BASKET_MOST = 5
export const QUANTITY_MOST = 50
/** UX K-10. */
export const IDLE_MS = 30_000
export const IDLE_SLOW_MS = 60_000
export const ASK_MS = 20_000
/** UX K-09: printed and seen; K-12: while nobody can know whether paper came; K-11: a photograph takes time. */
export const STAY_MS = 8000
export const STAY_UNSURE_MS = 15_000
export const STAY_SCREEN_MS = 30_000
/** How long an answer that is no ticket stays. */
export const STAY_WORDS_MS = 20_000
/** UX 13.7: ten taps a second for two seconds are one person's one wish. */
export const INERT_RESULT_MS = 2000
export const INERT_HOME_MS = 700

export function fresh(nowMs: number, inertMs = 0): Session {
  return {
    page: { name: 'home' }, sheet: 0, priority: '', basket: [], quantity: 1, card: null,
    modes: { low: false, elder: false, contrast: false, voice: false, english: false },
    issuing: null, touchedAt: nowMs, inertUntil: nowMs + inertMs, askedAt: null,
  }
}

/** Whether nobody's wishes are on the screen: only then may the page reload or stay for ever. */
export function untouched(session: Session): boolean {
  return session.page.name === 'home' && session.issuing === null && session.card === null && session.priority === '' && session.basket.length === 0
    && session.sheet === 0 && MODES.every((mode) => !session.modes[mode])
}

function slow(session: Session): boolean {
  return session.modes.elder || session.modes.voice
}

export function idleMs(session: Session): number {
  return slow(session) ? IDLE_SLOW_MS : IDLE_MS
}

/** What the paper did, in the words of UX K-12; `screen` means that the number exists on the screen only. */
export function paperOf(paper: boolean, state: PrintState, reprint: 'no' | 'asked' | 'done' | 'failed', back = false): 'back' | 'printing' | 'printed' | 'unsure' | 'screen' | 'failed' {
  if (back) return 'back'
  if (!paper) return 'screen'
  if (reprint === 'failed' || state === 'failed') return 'failed'
  if (state === 'printed') return 'printed'
  return state === 'unknown' ? 'unsure' : state === 'none' ? 'screen' : 'printing'
}

/** When the result leaves the screen by itself. */
export function leavesAt(session: Session): number {
  const page = session.page
  if (page.name !== 'result') return Infinity
  const paper = paperOf(page.paper, page.taken.ticket.print_state, page.reprint, page.back)
  const stay = paper === 'screen' || paper === 'failed' ? STAY_SCREEN_MS : paper === 'printed' && page.reprint === 'no' ? STAY_MS : STAY_UNSURE_MS
  return page.shownAt + stay * (slow(session) ? 2 : 1)
}

function open(session: Session, page: Page): Session {
  return { ...session, page, sheet: 0 }
}

function start(session: Session, attempt: Attempt): Session {
  return { ...session, issuing: attempt }
}

function attempt(session: Session, choices: Choice[], quantity: number, key: string): Attempt {
  return { key, choices, quantity, priority: session.priority, english: session.modes.english, ...(session.card && { card: session.card }) }
}

/** Somebody lays or holds something before the machine: whatever page the one before them left. */
function theirs(session: Session, nowMs: number): Session {
  const { name } = session.page
  return name === 'result' || name === 'refused' || name === 'help' ? fresh(nowMs) : session
}

/** Whether what is read now is this person's wish: not in the staff's menu, nor while a request is on its way. */
export function hears(session: Session, nowMs: number): boolean {
  const { name } = session.page
  return session.issuing === null && nowMs >= session.inertUntil && name !== 'pin' && name !== 'staff'
}

function time(session: Session, nowMs: number): Session {
  const { page } = session
  if (session.issuing !== null) return session
  switch (page.name) {
    case 'result':
      return nowMs >= leavesAt(session) ? fresh(nowMs) : session
    case 'refused': case 'help':
      return nowMs - page.shownAt >= STAY_WORDS_MS * (slow(session) ? 2 : 1) ? fresh(nowMs) : session
    default:
      if (untouched(session)) return session
      if (session.askedAt !== null) return nowMs - session.askedAt >= ASK_MS ? fresh(nowMs) : session
      return nowMs - session.touchedAt >= idleMs(session) ? { ...session, askedAt: nowMs } : session
  }
}

function touch(session: Session, onControl: boolean, nowMs: number): Session {
  const { page } = session
  if (page.name === 'result' && !onControl && nowMs - page.shownAt >= STAY_MS) return fresh(nowMs, INERT_HOME_MS)
  return { ...session, touchedAt: nowMs, askedAt: null }
}

/** Steps that a finger makes: none of them counts while a ticket is being issued or the page is inert. */
function press(session: Session, step: Step, nowMs: number): Session {
  const { page } = session
  switch (step.step) {
    case 'go':
      if (step.to === 'search') return open(session, { name: 'search', letters: '' })
      return open(session, step.to === 'missed' ? { name: 'missed', number: '', code: '', at: 'number' } : { name: step.to })
    case 'group':
      return open(session, { name: 'group', id: step.id, title: step.title })
    case 'sheet':
      return { ...session, sheet: Math.max(0, step.to) }
    case 'letters':
      return page.name === 'search' ? open(session, { name: 'search', letters: step.letters.slice(0, session.modes.english ? LETTERS_MOST_EN : LETTERS_MOST) }) : session
    case 'figure':
      return page.name === 'missed' && page[page.at].length < FIGURES_MOST ? { ...session, page: { ...page, [page.at]: page[page.at] + step.figure } } : session
    case 'erase':
      return page.name === 'missed' ? { ...session, page: { ...page, [page.at]: page[page.at].slice(0, -1) } } : session
    case 'part':
      return page.name === 'missed' ? { ...session, page: { ...page, at: step.at } } : session
    case 'missed':
      return start(session, { ...attempt(session, [], 1, step.key), missed: step.missed })
    case 'mode':
      // Initials are no beginning of an English word, and the other way round.
      if (step.mode === 'english' && page.name === 'search') session = open(session, { name: 'search', letters: '' })
      return { ...session, sheet: 0, modes: { ...session.modes, [step.mode]: !session.modes[step.mode] } }
    case 'priority':
      return open({ ...session, priority: step.id }, { name: 'home' })
    case 'choose':
      if (session.basket.length > 0) return press(session, { step: 'add', choice: step.choice }, nowMs)
      return start(session, attempt(session, [step.choice], 1, step.key))
    case 'add': {
      // A bundle is one visit of its own: it shares no ticket with other matters.
      if (step.choice.kind === 'bundle') return session
      const held = session.basket.some((choice) => choice.id === step.choice.id)
      if (!held && session.basket.length >= BASKET_MOST) return open(session, { name: 'basket' })
      return open({ ...session, basket: held ? session.basket : [...session.basket, step.choice] }, { name: 'basket' })
    }
    case 'remove': {
      const basket = session.basket.filter((choice) => choice.id !== step.id)
      return open({ ...session, basket, quantity: 1 }, basket.length === 0 ? { name: 'home' } : { name: 'basket' })
    }
    case 'quantity':
      return { ...session, quantity: Math.min(QUANTITY_MOST, Math.max(1, step.to)) }
    case 'take':
      if (session.basket.length === 0) return session
      return start(session, attempt(session, session.basket, session.basket.length === 1 ? session.quantity : 1, step.key))
    case 'slip': {
      const mine = theirs(session, nowMs)
      return start(open(mine, { name: 'slip' }), { ...attempt(mine, [], 1, step.key), slip: step.token })
    }
    case 'card': {
      const held = { ...theirs(session, nowMs), card: step.card }
      const asked = held.page.name === 'missed' || held.page.name === 'slip'
      if (asked && step.card.number !== '') return press(held, { step: 'mine', key: step.key }, nowMs)
      return asked ? open(held, { name: 'home' }) : held
    }
    case 'mine':
      return start(session, { ...attempt(session, [], 1, step.key), mine: true })
    case 'said':
      return open(theirs(session, nowMs), { name: 'refused', text: step.text, again: null, slip: true, shownAt: nowMs })
    case 'again':
      return page.name === 'refused' && page.again !== null ? start(session, page.again) : session
    case 'reprint':
      return page.name === 'result' && page.reprint === 'no' ? { ...session, page: { ...page, reprint: 'asked', shownAt: nowMs } } : session
    case 'help':
      return open(session, { name: 'help', state: 'asked', shownAt: nowMs })
    case 'leave':
      return fresh(nowMs, INERT_HOME_MS)
    default:
      return session
  }
}

/** What came back from the server. */
function answer(session: Session, step: Step, nowMs: number): Session {
  const { page, issuing } = session
  switch (step.step) {
    case 'taken':
      if (issuing === null || issuing.key !== step.key) return session
      return {
        ...session, issuing: null, basket: [], quantity: 1, askedAt: null, touchedAt: nowMs, inertUntil: nowMs + INERT_RESULT_MS,
        page: { name: 'result', taken: step.taken, title: titleOf(issuing, step.taken), shownAt: nowMs, paper: step.paper, back: isBack(issuing, step.taken), reprint: 'no' },
      }
    case 'refused':
      if (issuing === null || issuing.key !== step.key) return session
      return { ...open(session, { name: 'refused', text: step.text, again: step.again ? issuing : null, slip: bySlip(issuing), shownAt: nowMs }), issuing: null, askedAt: null, touchedAt: nowMs, inertUntil: nowMs + INERT_RESULT_MS }
    case 'ticket':
      if (page.name !== 'result' || page.taken.ticket.id !== step.ticket.id) return session
      return { ...session, page: { ...page, taken: { ...page.taken, ticket: step.ticket } } }
    case 'reprinted':
      return page.name === 'result' && page.reprint === 'asked' ? { ...session, page: { ...page, reprint: step.ok ? 'done' : 'failed' } } : session
    case 'helped':
      return page.name === 'help' ? { ...session, page: { ...page, state: step.ok ? 'told' : 'failed' } } : session
    default:
      return session
  }
}

function bySlip(issuing: Attempt): boolean {
  return issuing.slip !== undefined || issuing.missed !== undefined || issuing.mine === true
}

/** A ticket whose call was missed waits again; the card of one that waits anyhow only shows it. */
function isBack(issuing: Attempt, taken: TicketTaken): boolean {
  return bySlip(issuing) && !taken.created && (issuing.mine !== true || issuing.card?.passed === true)
}

/** One matter is called by its name, several by their queue's. */
function titleOf(issuing: Attempt, taken: TicketTaken): Words {
  return issuing.choices.length === 1 ? issuing.choices[0].name : taken.ticket.queue
}

export function reduce(session: Session, step: Step, nowMs: number): Session {
  switch (step.step) {
    case 'tick': return time(session, nowMs)
    case 'touch': return touch(session, step.onControl, nowMs)
    case 'nocard': return session.card === null ? session : { ...session, card: null }
    case 'extend': return { ...session, askedAt: null, touchedAt: nowMs }
    case 'taken': case 'refused': case 'ticket': case 'reprinted': case 'helped': return answer(session, step, nowMs)
    default:
      if (session.issuing !== null || nowMs < session.inertUntil) return session
      return press({ ...session, touchedAt: nowMs, askedAt: null }, step, nowMs)
  }
}
