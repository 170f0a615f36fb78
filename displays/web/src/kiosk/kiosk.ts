/** The kiosk's line to the server and what its taps ask of it; the rules of the session are in session.ts. */
import { computed, onBeforeUnmount, reactive, ref, watch } from 'vue'
import { ApiProblem, hallPath, Intention, newKey, request } from '../core/api'
import { Player } from '../core/audio'
import { hallId } from '../core/hall'
import { setLocale, t } from '../core/i18n'
import { connectLive } from '../core/live'
import { problemWords } from '../core/problem'
import { forgetToken, goJoin, screenToken } from '../core/token'
import type { HallDocument, KioskDocument, MatterHits, MenuDocument, PrinterState, TakeTicket, TicketTaken, TicketView } from '../core/wire'
import { fixture } from '../fixtures'
import { fresh, reduce, untouched, type Attempt, type Session, type Step } from './session'

/** UX K-15: within 5 s the page says that no number can be taken; the age moves once a second. */
const SILENT_MS = 3800
const ATTEMPTS = 3
const RETRY_MS = 1500
const TOKEN_DEAD = ['token_unknown', 'token_revoked', 'unauthenticated']

interface Documents {
  hall: HallDocument
  kiosk: KioskDocument
  menu: MenuDocument
}

/** With these a ticket may come out of the machine. */
const PRINTS: PrinterState[] = ['ok', 'near_end', 'unreadable']

export function useKiosk() {
  const recorded = import.meta.env.DEV ? fixture('kiosk') : null
  const token = screenToken()
  if (token === '' && recorded === null) goJoin()

  const now = () => performance.now()
  const session = ref<Session>(fresh(now()))
  const nowMs = ref(now())
  /** The ticket whose paper is being watched: its token, only as long as its number is on the screen. */
  let watched = ''
  const of = ref('')

  const player = new Player({
    onEnd: (end) => live.send({ type: 'played', ...end }),
    onReady: () => offerVoice(),
  })

  const live = connectLive({
    token,
    wants: (welcome) => (watched === '' ? [] : [{ view: 'ticket', of: watched }]).concat([{ view: 'kiosk', of: welcome.of }]),
    idle: () => untouched(session.value),
    onWelcome: (welcome) => {
      of.value = welcome.of
      offerVoice()
    },
    onPlay: (play) => player.enqueue(play),
    onChange: (want, documents) => {
      if (want.view === 'ticket' && want.of === watched) dispatch({ step: 'ticket', ticket: (documents as { ticket: TicketView }).ticket.ticket })
    },
    onRefused: (refused) => {
      if (!TOKEN_DEAD.includes(refused.code)) return
      forgetToken()
      goJoin()
    },
    ...recorded,
  })

  const documents = computed(() => live.documents<Documents>('kiosk', of.value))
  const printer = computed<PrinterState>(() => documents.value.kiosk?.printer ?? 'offline')
  const prints = computed(() => PRINTS.includes(printer.value))

  /** Why no number can be taken now, or null. */
  const paused = computed<'connecting' | 'offline' | 'closed' | null>(() => {
    if (live.state.silentMs !== null && live.state.silentMs > SILENT_MS) return 'offline'
    const { hall, kiosk, menu } = documents.value
    if (hall === undefined || kiosk === undefined || menu === undefined) return nowMs.value > 5000 ? 'offline' : 'connecting'
    return kiosk.issuing ? null : 'closed'
  })

  function dispatch(step: Step): void {
    const before = session.value
    nowMs.value = now()
    const after = reduce(before, step, nowMs.value)
    session.value = after
    if (after.issuing !== null && after.issuing !== before.issuing) void issue(after.issuing)
    if (after.page.name === 'result' && before.page.name !== 'result') watchPaper(after.page.taken.token)
    if (after.page.name !== 'result' && before.page.name === 'result') forgetPaper()
    if (after.modes.voice !== before.modes.voice) void turnVoice(after.modes.voice)
  }

  function watchPaper(ticketToken: string): void {
    watched = ticketToken
    live.send({ type: 'subscribe', view: 'ticket', of: ticketToken })
  }

  /** UX K-09: nothing of the last person stays, in the page or behind it. */
  function forgetPaper(): void {
    if (watched !== '') live.forget({ view: 'ticket', of: watched })
    watched = ''
  }

  async function issue(attempt: Attempt): Promise<void> {
    const paper = prints.value
    const bundle = attempt.choices.find((choice) => choice.kind === 'bundle')
    const body: TakeTicket = {
      matters: bundle === undefined ? attempt.choices.map((choice) => choice.id) : [],
      bundle: bundle === undefined ? '' : bundle.id,
      quantity: attempt.quantity, priority: attempt.priority, language: attempt.english ? 'en' : 'zh', paper,
    }
    const intention = Intention.of(attempt.key)
    for (let tried = 1; ; tried += 1) {
      try {
        const taken = await request<TicketTaken>(hallPath(hallId(), 'tickets'), { body, token, intention })
        return dispatch({ step: 'taken', key: attempt.key, taken, paper })
      } catch (error) {
        // No answer says nothing about the ticket: the same key asks again and can make no second one.
        const unanswered = error instanceof ApiProblem && (error.status === 0 || error.status === 503)
        if (!unanswered || tried === ATTEMPTS) return dispatch({ step: 'refused', key: attempt.key, text: problemWords(error), again: unanswered })
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
  }

  async function reprint(): Promise<void> {
    const page = session.value.page
    dispatch({ step: 'reprint' })
    if (session.value.page.name !== 'result' || session.value.page === page) return
    const id = session.value.page.taken.ticket.id
    try {
      await request(hallPath(hallId(), 'tickets', id, 'reprint'), { body: {}, token, intention: new Intention() })
      dispatch({ step: 'reprinted', ok: true })
    } catch {
      dispatch({ step: 'reprinted', ok: false })
    }
  }

  async function help(): Promise<void> {
    dispatch({ step: 'help' })
    if (session.value.page.name !== 'help') return
    try {
      await request(hallPath(hallId(), 'kiosk', 'help'), { body: {}, token, intention: new Intention() })
      dispatch({ step: 'helped', ok: true })
    } catch {
      dispatch({ step: 'helped', ok: false })
    }
  }

  /** Matters by initials, or of one domain; answers in the order asked, an older one is dropped. */
  function find(query: { q?: string; domain?: string; limit: number; offset: number }): Promise<MatterHits> {
    const asked = new URLSearchParams({ q: query.q ?? '', domain: query.domain ?? '', limit: String(query.limit), offset: String(query.offset) })
    return request<MatterHits>(`${hallPath(hallId(), 'matters')}?${asked.toString()}`, { token })
  }

  /** The kiosk speaks only what the server made, and only to whom asked for it. */
  function offerVoice(): void {
    if (of.value !== '') live.send({ type: 'player', zone: `kiosk:${of.value}`, ready: session.value.modes.voice && player.state.ready === 'ready' })
  }

  async function turnVoice(on: boolean): Promise<void> {
    if (on) await player.selfTest()
    offerVoice()
  }

  watch(() => session.value.modes.english, (english) => setLocale(english ? 'en' : 'zh-CN'))
  const ticking = setInterval(() => dispatch({ step: 'tick' }), 250)
  onBeforeUnmount(() => {
    clearInterval(ticking)
    live.close()
  })

  return reactive({ session, nowMs, live, documents, printer, prints, paused, of, token, dispatch, reprint, help, find, newKey, title: () => t('kiosk.title') })
}

export type Kiosk = ReturnType<typeof useKiosk>
