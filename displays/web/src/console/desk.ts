/** The desk as a value: which state the window is in, and what each key in its fixed place says and does. Pure. */
import type { IconName } from '../components/icons'
import type { Age } from '../core/age'
import type { Action, AlarmDocument, DeskDocument, HallDocument, QueuesDocument, TicketsDocument, WindowDocument } from '../core/wire'
import type { Deed } from './keys'

/** The documents of the console view (wire documents.py). */
export interface ConsoleView {
  hall: HallDocument
  window: WindowDocument
  desk: DeskDocument
  queues: QueuesDocument
  next: TicketsDocument
  aside: TicketsDocument
  help: AlarmDocument | null
}

export type Phase = 'closed' | 'idle' | 'called' | 'serving' | 'paused'

/** The state of the window as the newest desk says it; the window's own document only tells pauses and closing. */
export function phaseOf(desk: DeskDocument, window: Pick<WindowDocument, 'state'> | undefined): Phase {
  if (desk.ticket !== null && (desk.ticket.state === 'called' || desk.ticket.state === 'serving')) return desk.ticket.state
  if (desk.service !== '' && desk.started_at !== null) return 'serving'
  const said = window?.state ?? 'idle'
  return said === 'paused' || said === 'closed' ? said : 'idle'
}

/** A place of the key block: it never moves, what stands in it may change with the phase. */
export type Place = 'main' | 'second' | 'recall' | 'no-show' | 'transfer' | 'park' | 'not-done' | 'pause'

/** What a press asks the server for; `ask` opens a dialog first. */
export type Wish = 'call-next' | 'call' | 'recall' | 'arrive' | 'no-show' | 'finish' | 'transfer' | 'park' | 'pause' | 'resume' | 'open' | 'not-done' | 'serve-direct' | 'undo'

export interface DeskKey {
  place: Place
  wish: Wish
  deed: Deed
  /** Catalogue key of the word. */
  word: string
  icon: IconName
  off: boolean
  /** Why it is off: the server's sentence, and the short words that fit a key, a catalogue key with `seconds` as {n}; one of both. */
  why: Action['why'] | null
  whyKey: string
  seconds: number
  /** Catalogue key of a line under the word of a key that works. */
  hintKey: string
}

/** The deed whose key a wish answers to in this phase. */
const DEED_OF: Record<Wish, Deed> = {
  'call-next': 'next', call: 'number', recall: 'recall', arrive: 'arrive', 'no-show': 'no-show', finish: 'finish', transfer: 'transfer', park: 'park',
  pause: 'pause', resume: 'pause', open: 'next', 'not-done': 'not-done', 'serve-direct': 'direct', undo: 'undo',
}

const ICON_OF: Record<Wish, IconName> = {
  'call-next': 'bell', call: 'search', recall: 'redo', arrive: 'check', 'no-show': 'skip', finish: 'check', transfer: 'move', park: 'park',
  pause: 'pause', resume: 'next', open: 'win', 'not-done': 'slip', 'serve-direct': 'person', undo: 'back',
}

const MAIN: Record<Phase, Wish> = { closed: 'open', idle: 'call-next', called: 'arrive', serving: 'finish', paused: 'resume' }
const SECOND: Record<Phase, Wish> = { closed: 'call-next', idle: 'call', called: 'call-next', serving: 'call-next', paused: 'call-next' }

function wordOf(wish: Wish, place: Place, phase: Phase): string {
  if (wish === 'call-next' && phase === 'serving') return 'desk.key.finish-next'
  return place === 'main' && wish === 'finish' ? 'desk.key.finish' : `desk.key.${wish}`
}

export interface DeskInput {
  desk: DeskDocument
  window: Pick<WindowDocument, 'state'> | undefined
  age: Age
  /** The server refused this session a call of a given number (code call-number-not-permitted). */
  noNumbers: boolean
  /** Server time, ms UTC. */
  nowMs: number
}

/** Whether a wish may be pressed; `seconds` fills the reason's {n}. */
export interface Allowance {
  off: boolean
  why: Action['why'] | null
  whyKey: string
  seconds: number
}

/** The server's reasons in the few words that a key has room for; the sentence itself is said on a press. */
const SHORT: Partial<Record<string, string>> = {
  'nothing-in-hand': 'desk.why.nothing', 'arrived-already': 'desk.why.arrived', 'finish-first': 'desk.why.finish-first', 'window-closed': 'desk.why.closed',
  'nobody-waiting': 'desk.why.nobody', 'recall-limit': 'desk.why.recall-limit', 'already-paused': 'desk.why.already-paused',
}

const YES: Allowance = { off: false, why: null, whyKey: '', seconds: 0 }
const no = (whyKey: string, why: Action['why'] | null = null, seconds = 0): Allowance => ({ off: true, why, whyKey, seconds })

/** What time alone decides: the document is not sent again when a recall becomes possible or an undo lapses. */
function byTime(wish: Wish, input: DeskInput): Allowance | null {
  if (wish === 'recall' && input.desk.recall_at !== null && phaseOf(input.desk, input.window) === 'called') {
    const left = Math.ceil((input.desk.recall_at - input.nowMs) / 1000)
    return left > 0 ? no('desk.why.recall-in', null, left) : YES
  }
  if (wish !== 'undo') return null
  return input.desk.undo !== null && input.desk.undo.until > input.nowMs ? YES : no('desk.why.nothing-to-undo')
}

/** Whether a wish is allowed now, and why not. The server's list decides; what it does not list, the phase decides. */
export function allowed(wish: Wish, input: DeskInput): Allowance {
  const phase = phaseOf(input.desk, input.window)
  if (input.age === 'old' || input.age === 'dead') return no('desk.why.offline')
  const timed = byTime(wish, input)
  if (timed !== null) return timed
  if (wish === 'not-done' && phase !== 'serving') return no(phase === 'called' ? 'desk.why.arrive-first' : 'desk.why.nothing')
  if (wish === 'call' && input.noNumbers) return no('desk.why.no-permission')
  const listed = input.desk.actions.find((action) => action.name === (wish === 'not-done' ? 'finish' : wish))
  if (listed !== undefined) return listed.allowed ? YES : no(SHORT[listed.code] ?? '', listed.why)
  if (wish === 'open') return phase === 'closed' ? YES : no('desk.why.not-now')
  return phase === 'closed' ? no('desk.why.closed') : YES
}

/** The eight keys, in reading order: main and three, second and three (UX C-01). */
export function keysOf(input: DeskInput): DeskKey[] {
  const phase = phaseOf(input.desk, input.window)
  const placed: [Place, Wish][] = [
    ['main', MAIN[phase]], ['recall', 'recall'], ['no-show', 'no-show'], ['transfer', 'transfer'],
    ['second', SECOND[phase]], ['park', 'park'], ['not-done', 'not-done'], ['pause', 'pause'],
  ]
  return placed.map(([place, wish]) => {
    const state = allowed(wish, input)
    const hintKey = state.off ? '' : wish === 'call-next' && phase === 'called' ? 'desk.hint.asks-first' : wish === 'not-done' ? 'desk.hint.not-done' : ''
    return { place, wish, deed: DEED_OF[wish], word: wordOf(wish, place, phase), icon: ICON_OF[wish], hintKey, ...state }
  })
}

/** The wish behind a deed in this phase: F10 resumes a paused window, F2 opens a closed one. */
export function wishOf(deed: Deed, phase: Phase): Wish | null {
  switch (deed) {
    case 'next': return phase === 'closed' ? 'open' : 'call-next'
    case 'pause': return phase === 'paused' ? 'resume' : 'pause'
    case 'number': return 'call'
    case 'direct': return 'serve-direct'
    case 'help': case 'card': return null
    default: return deed
  }
}

/** The three keys of a strip (UX C-07): the main key and the two most likely others, off ones included. */
export function stripKeysOf(input: DeskInput): DeskKey[] {
  const phase = phaseOf(input.desk, input.window)
  const places: Record<Phase, Place[]> = {
    closed: ['main', 'second', 'pause'], idle: ['main', 'second', 'pause'], called: ['main', 'recall', 'no-show'],
    serving: ['main', 'second', 'park'], paused: ['main', 'second', 'pause'],
  }
  const keys = keysOf(input)
  return places[phase].map((place) => keys.find((key) => key.place === place) as DeskKey)
}

export type Threshold = 'calm' | 'near' | 'over'

/** UX C-03: 80 % of the usual time is amber, 100 % red, both with words. */
export function thresholdOf(elapsedMs: number, typicalS: number | null): Threshold {
  if (typicalS === null || typicalS <= 0) return 'calm'
  const share = elapsedMs / (typicalS * 1000)
  return share >= 1 ? 'over' : share >= 0.8 ? 'near' : 'calm'
}

/** UX C-06: the same key within a second is a tremble of the hand; while an answer is awaited nothing else goes out. */
export const TREMBLE_MS = 1000

export class PressGuard {
  private readonly last: Partial<Record<string, number>> = {}
  private busy = ''

  /** True when the press counts; `atMs` is any steady clock. */
  press(name: string, atMs: number): boolean {
    const before = this.last[name]
    if (before !== undefined && atMs - before < TREMBLE_MS) return false
    if (this.busy !== '') return false
    this.last[name] = atMs
    this.busy = name
    return true
  }

  done(): void {
    this.busy = ''
  }
}

/** m:ss under an hour, else h:mm:ss. */
export function clockOf(elapsedMs: number): string {
  const total = Math.max(0, Math.floor(elapsedMs / 1000))
  const two = (value: number) => (value < 10 ? `0${value}` : String(value))
  const hours = Math.floor(total / 3600)
  const minutes = Math.floor(total / 60) % 60
  return hours > 0 ? `${hours}:${two(minutes)}:${two(total % 60)}` : `${minutes}:${two(total % 60)}`
}
