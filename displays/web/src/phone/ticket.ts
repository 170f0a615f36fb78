/** The ticket of this page: live while it is seen, asked for every ten seconds when no line holds (UX P-05, P-08). */
import { reactive, readonly, ref, shallowRef, watch } from 'vue'
import { ApiProblem, Intention } from '../core/api'
import { connectLive } from '../core/live'
import { ask, pageToken } from '../core/phone'
import type { HallDocument, TicketView } from '../core/wire'
import { fixture } from '../fixtures'
import { compare, type Promised, type Worse } from './estimate'

const POLL_MS = 10_000
const WORSE_FOR_MS = 5 * 60_000

export interface TicketState {
  /** Server time of what is shown; null before anything came. */
  at: number | null
  /** False when neither the line nor the last question brought an answer. */
  fresh: boolean
  /** The server does not know this token, or no longer. */
  gone: boolean
  worse: Worse | null
}

export function followTicket() {
  const recorded = import.meta.env.DEV ? fixture('ticket') : null
  const view = shallowRef<TicketView | null>(null)
  const hall = ref<HallDocument | null>(null)
  const state = reactive<TicketState>({ at: null, fresh: false, gone: false, worse: null })
  let promised: Promised | null = null
  let worseUntil = 0

  const live = connectLive({
    token: pageToken(),
    wants: (welcome) => [{ view: 'ticket', of: welcome.of }],
    onChange: (_, documents) => {
      if (documents.hall) hall.value = documents.hall as HallDocument
      if (documents.ticket) take(documents.ticket as TicketView, live.state.nowMs)
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
    if (document.hidden || live.state.age === 'fresh') return
    try {
      take(await ask<TicketView>(['phone', pageToken()]), Date.now())
      polledAt.value = performance.now()
    } catch (error) {
      if (error instanceof ApiProblem && (error.status === 404 || error.status === 401)) state.gone = true
    }
  }

  const polledAt = ref<number | null>(null)
  watch(() => [live.state.nowMs, polledAt.value], () => {
    const polled = polledAt.value !== null && performance.now() - polledAt.value < POLL_MS + 5000
    state.fresh = live.state.age === 'fresh' || polled
    if (live.state.age === 'fresh' && state.at !== null) state.at = live.state.heardAt
  })
  setInterval(() => void poll(), POLL_MS)
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
