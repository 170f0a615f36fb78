/** The ticket of this page: live while it is seen, asked for every ten seconds when no line holds (UX P-05, P-08). */
import { reactive, readonly, ref, shallowRef, watch } from 'vue'
import { ageOf, type Age } from '../core/age'
import { ApiProblem, Intention } from '../core/api'
import { connectLive } from '../core/live'
import { ask, pageToken } from '../core/phone'
import type { HallDocument, TicketView } from '../core/wire'
import { fixture } from '../fixtures'
import { compare, type Promised, type Worse } from './estimate'

const POLL_MS = 10_000
/** Without a line the next answer is due after ten seconds and its way here: only then does silence begin. */
const POLL_DUE_MS = POLL_MS + 2000
/** No line after this long: it may be one that this network lets nobody have. */
const IMPATIENT_MS = 1000
const WORSE_FOR_MS = 5 * 60_000

export interface TicketState {
  /** Server time of what is shown; null before anything came. */
  at: number | null
  /** Since neither the line nor the last question brought an answer (UX X-06). */
  age: Age
  /** The server does not know this token, or no longer. */
  gone: boolean
  worse: Worse | null
}

export function followTicket() {
  const recorded = import.meta.env.DEV ? fixture('ticket') : null
  const view = shallowRef<TicketView | null>(null)
  const hall = ref<HallDocument | null>(null)
  const state = reactive<TicketState>({ at: null, age: 'reconnecting', gone: false, worse: null })
  let promised: Promised | null = null
  let worseUntil = 0

  const live = connectLive({
    token: pageToken(),
    wants: (welcome) => [{ view: 'ticket', of: welcome.of }],
    onChange: (_, documents) => {
      if (documents.hall) hall.value = documents.hall as HallDocument
      if (documents.ticket) take(documents.ticket as TicketView, live.state.nowMs)
      // Opened behind another page: it has what it will show when it is looked at.
      if (document.hidden) live.pause()
    },
    onRefused: (refused) => {
      if (refused.code === 'unauthorised' || refused.code === 'not-found') state.gone = true
    },
    ...recorded,
  })

  function take(next: TicketView, nowMs: number): void {
    view.value = next
    state.at = nowMs
    state.gone = false
    const step = compare(promised, nowMs, next.ticket.wait_high_s, next.ticket.ahead)
    promised = step.promised
    if (step.worse !== null) {
      state.worse = step.worse
      worseUntil = nowMs + WORSE_FOR_MS
    } else if (nowMs > worseUntil) state.worse = null
  }

  async function poll(): Promise<void> {
    if (document.hidden) return
    const before = view.value
    try {
      const answer = await ask<TicketView>(['phone', pageToken()])
      polledAt.value = performance.now()
      // The server's time, for the phone's own clock may be wrong; what the line said meanwhile is newer.
      if (view.value === before) take(answer, answer.ticket.updated_at)
    } catch (error) {
      if (error instanceof ApiProblem && (error.status === 404 || error.status === 401)) state.gone = true
    }
  }

  const polledAt = ref<number | null>(null)
  watch(() => [live.state.nowMs, live.state.silentMs, polledAt.value], () => {
    const unasked = polledAt.value === null ? Infinity : Math.max(0, performance.now() - polledAt.value - POLL_DUE_MS)
    const silent = Math.min(live.state.silentMs ?? Infinity, unasked)
    state.age = ageOf(silent === Infinity ? null : silent)
    if (live.state.age === 'fresh' && state.at !== null) state.at = live.state.heardAt
  })
  setTimeout(() => view.value === null && void poll(), IMPATIENT_MS)
  setInterval(() => live.state.age !== 'fresh' && void poll(), POLL_MS)
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) live.pause()
    else {
      live.resume()
      void poll()
    }
  })

  const intentions: Record<string, Intention> = {}
  /** One of cancel, delay, help: a second tap and a retry have the same effect once (UX X-12). */
  async function act(name: 'cancel' | 'delay' | 'help'): Promise<void> {
    const intention = intentions[name] ?? (intentions[name] = new Intention())
    take(await ask<TicketView>(['phone', pageToken(), name], { method: 'POST', body: {}, intention }), live.state.nowMs)
    intention.renew()
  }

  /** Resolves when there is something to show, or after `limitMs`: until then the server's own text stands. */
  function first(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, limitMs)
      const stop = watch(() => [view.value, state.gone], ([seen, gone]) => {
        if (seen === null && gone === false) return
        clearTimeout(timer)
        stop()
        resolve()
      })
    })
  }

  return { view, hall, live, act, first, state: readonly(state) as TicketState }
}

export type Followed = ReturnType<typeof followTicket>
