/** One desk on one page: its documents, its presses with one key each, and what the server answered. Console and strip share it. */
import { computed, reactive, shallowRef, watch } from 'vue'
import { ApiProblem, Intention, request } from '../core/api'
import { t, words } from '../core/i18n'
import { connectLive, type Live } from '../core/live'
import { sentenceOf } from '../core/problem'
import type { DeskDocument, DeskReply } from '../core/wire'
import { path } from '../staff/session'
import { allowed, keysOf, phaseOf, PressGuard, type ConsoleView, type Wish } from './desk'

/** What a press opens before anything is asked of the server. */
export type Dialog = 'number' | 'choices' | 'no-show' | 'transfer' | 'park' | 'pause' | 'not-done' | 'serve-direct' | 'card' | 'leave'

const ASKS: Partial<Record<Wish, Dialog>> = {
  call: 'number', transfer: 'transfer', park: 'park', pause: 'pause', 'not-done': 'not-done', 'serve-direct': 'serve-direct',
}
const NOTHING: DeskDocument = {
  ticket: null, service: '', started_at: null, typical_s: null, note: '', passed_on: '', actions: [], undo: null, asked: null, recall_at: null,
}
/** A reply's desk counts until the live map moves, or this long when the map was quicker. */
const REPLY_COUNTS_MS = 1500
const ASKED_MS = 15_000
const RETRY_MS = 30_000

export interface Said {
  text: string
  tone: 'plain' | 'warn' | 'alert'
  /** Grows with each sentence, so that the same sentence twice is announced twice. */
  count: number
}

interface Unanswered {
  signature: string
  intention: Intention
  at: number
}

export function useDesk(windowId: string) {
  const guard = new PressGuard()
  const replied = shallowRef<DeskDocument | null>(null)
  const state = reactive({
    busy: '',
    dialog: '' as Dialog | '',
    digits: '',
    choices: [] as string[],
    chosenReason: '',
    asked: '',
    noNumbers: false,
    said: { text: '', tone: 'plain', count: 0 } as Said,
  })
  let unanswered: Unanswered | null = null
  let askedTimer: ReturnType<typeof setTimeout> | null = null

  const live: Live = connectLive({
    token: '',
    wants: () => [{ view: 'console', of: windowId }],
    idle: () => state.dialog === '' && state.busy === '' && phase.value !== 'called' && phase.value !== 'serving',
    onRefused: (refused) => say(words(refused.text), 'alert'),
  })
  const view = computed(() => live.documents<ConsoleView>('console', windowId))
  const desk = computed(() => replied.value ?? view.value.desk ?? NOTHING)
  const phase = computed(() => phaseOf(desk.value, view.value.window))
  const input = computed(() => ({ desk: desk.value, window: view.value.window, age: live.state.age, noNumbers: state.noNumbers, nowMs: live.state.nowMs }))
  const keys = computed(() => keysOf(input.value))
  const asked = computed(() => state.asked)

  watch(() => view.value.desk, () => { replied.value = null })
  watch(() => `${phase.value} ${desk.value.ticket?.id}`, () => ask(''))
  // The question comes with the answer to a press, or from the map when a keypad asked it; it lapses here by itself.
  watch(() => words(desk.value.asked), (text) => { if (text !== '') ask(text) }, { immediate: true, flush: 'post' })

  function say(text: string, tone: Said['tone'] = 'plain'): void {
    state.said = { text, tone, count: state.said.count + 1 }
  }

  function ask(text: string): void {
    if (askedTimer !== null) clearTimeout(askedTimer)
    state.asked = text
    if (text !== '') askedTimer = setTimeout(() => { state.asked = '' }, ASKED_MS)
  }

  function take(reply: DeskReply): void {
    const now = reply.desk
    replied.value = now
    // A map that was quicker than the answer is as new, and moves on from here.
    setTimeout(() => { if (replied.value === now) replied.value = null }, REPLY_COUNTS_MS)
    state.dialog = ''
    state.digits = ''
    ask('')
    say(reply.stranded > 0 ? t('desk.stranded', { n: reply.stranded }) : '', reply.stranded > 0 ? 'warn' : 'plain')
    if (reply.choices.length > 0) choose(reply.choices)
  }

  function choose(choices: string[]): void {
    state.choices = choices
    state.dialog = 'choices'
  }

  function refused(error: unknown): void {
    const code = error instanceof ApiProblem ? error.code : ''
    switch (code) {
      case 'arrived-or-not': return ask(sentenceOf(error))
      case 'no-show-needs-reason': state.dialog = 'no-show'; return
      case 'number-ambiguous':
        if (error instanceof ApiProblem && error.choices.length > 0) return choose(error.choices)
        break
      case 'call-number-not-permitted': state.noNumbers = true; state.dialog = ''; break
    }
    say(sentenceOf(error), 'alert')
  }

  /** An answer that never came is asked for again under the same key, so that it has one effect (UX X-12). */
  function intentionFor(signature: string): Intention {
    const kept = unanswered
    unanswered = null
    return kept !== null && kept.signature === signature && performance.now() - kept.at < RETRY_MS ? kept.intention : new Intention()
  }

  /** Sends one command; true when it was done. The key shows `busy` at once (UX C-06). */
  async function send(busy: string, verb: string, body: object): Promise<boolean> {
    const signature = verb + JSON.stringify(body)
    if (!guard.press(signature, performance.now())) return false
    const intention = intentionFor(signature)
    state.busy = busy
    say('')
    try {
      take(await request<DeskReply>(path('windows', windowId, verb), { body, intention }))
      return true
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 0) unanswered = { signature, intention, at: performance.now() }
      refused(error)
      return false
    } finally {
      state.busy = ''
      guard.done()
    }
  }

  /** A press of a key: what is off says why, what needs an answer opens its dialog, the rest goes out. */
  function press(wish: Wish): void {
    const now = allowed(wish, input.value)
    if (now.off) return say(words(now.why) || t(now.whyKey, { n: now.seconds }), 'warn')
    const dialog = ASKS[wish]
    if (dialog !== undefined) {
      state.dialog = dialog
      return
    }
    void send(wish, wish, {})
  }

  function close(): void {
    state.dialog = ''
    state.digits = ''
    ask('')
    say('')
  }

  async function help(want: boolean): Promise<void> {
    if (!guard.press('help', performance.now())) return
    state.busy = 'help'
    try {
      await request(path('windows', windowId, 'help'), { method: want ? 'POST' : 'DELETE', body: {}, intention: new Intention() })
      say(t(want ? 'desk.help.sent' : 'desk.help.ended'))
    } catch (error) {
      refused(error)
    } finally {
      state.busy = ''
      guard.done()
    }
  }

  return { live, state, view, desk, phase, keys, input, asked, press, send, close, say, help, windowId }
}

export type Desk = ReturnType<typeof useDesk>
