/** The kiosk's line to the server and what its taps ask of it; the rules of the session are in session.ts. */
import { computed, onBeforeUnmount, reactive, ref, watch } from 'vue'
import { ApiProblem, hallPath, Intention, newKey, request } from '../core/api'
import { Player } from '../core/audio'
import { hallId } from '../core/hall'
import { setLocale, t } from '../core/i18n'
import { problemWords } from '../core/problem'
import { onScan } from '../core/scanner'
import { openScreen } from '../core/screen'
import type { HallDocument, KioskDocument, MatterHits, MenuDocument, PrinterState, Reading, TakeTicket, TicketTaken, TicketView } from '../core/wire'
import { volume } from './click'
import { sentenceFor, type Said } from './guidance'
import { fresh, hears, reduce, untouched, type Attempt, type Session, type Step } from './session'

/** UX K-15: within 5 s the page says that no number can be taken; the age moves once a second. */
const SILENT_MS = 3200
const ATTEMPTS = 3
const RETRY_MS = 1500
const PAPER_MS = 1000

interface Documents {
  hall: HallDocument
  kiosk: KioskDocument
  menu: MenuDocument
}

/** With these a ticket may come out of the machine. */
const PRINTS: PrinterState[] = ['ok', 'near_end', 'unreadable']

export function useKiosk() {
  const now = () => performance.now()
  const session = ref<Session>(fresh(now()))
  const nowMs = ref(now())
  /** Asks after the paper of the ticket on the screen, only as long as its number stands there. */
  let asking: ReturnType<typeof setTimeout> | null = null
  const of = ref('')

  /** Nothing that sounds here is an announcement of the hall: nobody waits to hear how it ended. */
  const player = new Player({ onEnd: () => undefined, onReady: () => undefined })

  const screen = openScreen<Documents>('kiosk', {
    wants: () => [{ view: 'kiosk', of: of.value }],
    idle: () => untouched(session.value),
    free: () => untouched(session.value),
    stands: ({ hall }) => [hall?.message, untouched(session.value)],
    sound: (): string => t(documents.value.kiosk?.voice === false ? 'access.voice_none' : player.state.ready === 'blocked' ? 'access.voice_blocked' : 'pattern.wish'),
    onWelcome: (welcome) => {
      of.value = welcome.device === '' ? (new URLSearchParams(location.search).get('of') ?? '') : welcome.of
    },
    onPlay: (play) => {
      if (session.value.modes.voice || session.value.page.name === 'staff') player.instead({ ...play, volume: (play.volume * volume.value) / 100 })
    },
    onReading: (reading) => live.send({ type: 'heard', id: reading.id, used: read(reading) }),
  })
  const { live, token, documents } = screen
  const printer = computed<PrinterState>(() => documents.value.kiosk?.printer ?? 'offline')
  const prints = computed(() => PRINTS.includes(printer.value))

  /** Why no number can be taken now, or null. */
  const paused = computed<'connecting' | 'offline' | 'closed' | null>(() => {
    if (live.state.silentMs !== null && live.state.silentMs > SILENT_MS) return 'offline'
    const { hall, kiosk, menu } = documents.value
    if (hall === undefined || kiosk === undefined || menu === undefined) return nowMs.value > 5000 ? 'offline' : 'connecting'
    return kiosk.issuing ? null : 'closed'
  })

  /** A card or code that the agent read here; whether it is of use now. A card says nothing while no tickets are given. */
  function read(reading: Reading): boolean {
    const emergency = documents.value.hall?.message?.kind === 'emergency'
    if (emergency || !hears(session.value, now()) || (reading.kind === 'card' && paused.value !== null)) return false
    const key = newKey()
    switch (reading.kind) {
      case 'card': dispatch({ step: 'card', card: { token: reading.token, number: reading.number, passed: reading.passed }, key }); break
      case 'ticket': dispatch({ step: 'slip', token: reading.token, key }); break
      default: dispatch({ step: 'said', text: reading.text })
    }
    return true
  }

  function dispatch(step: Step): void {
    const before = session.value
    nowMs.value = now()
    const after = reduce(before, step, nowMs.value)
    session.value = after
    if (before.card !== null && after.card === null) live.send({ type: 'card_gone' })
    if (after.issuing !== null && after.issuing !== before.issuing) void issue(after.issuing)
    if (after.page.name === 'result' && before.page.name !== 'result') void watchPaper(after.page.taken.token)
    if (after.page.name !== 'result' && before.page.name === 'result') forgetPaper()
  }

  /** UX K-12: once a second until the agent said what became of it; a lost answer is asked for again. */
  async function watchPaper(ticketToken: string): Promise<void> {
    const page = session.value.page
    if (page.name !== 'result' || page.taken.token !== ticketToken) return
    if (page.taken.ticket.print_state === 'claimed') {
      try {
        const view = await request<TicketView>(hallPath(hallId(), 'phone', ticketToken), { token: ticketToken, timeoutMs: PAPER_MS })
        dispatch({ step: 'ticket', ticket: view.ticket })
      } catch {
        // The number stands on the screen with its QR code whatever the printer does.
      }
    }
    if (session.value.page.name === 'result') asking = setTimeout(() => void watchPaper(ticketToken), PAPER_MS)
  }

  function forgetPaper(): void {
    if (asking !== null) clearTimeout(asking)
    asking = null
  }

  /** RULES 28: the ticket of today that this slip belongs to, waiting again; null for a slip of another day and for no slip. */
  async function broughtBack(attempt: Attempt): Promise<TicketTaken | null> {
    if (attempt.slip === undefined && attempt.missed === undefined && attempt.mine !== true) return null
    const body = { token: attempt.slip ?? '', number: '', code: '', card: attempt.mine === true ? attempt.card?.token : '', ...attempt.missed }
    const intention = Intention.of(`${attempt.key}-back`) // another request than the ticket's, so another key
    try {
      return await request<TicketTaken>(hallPath(hallId(), 'kiosk', 'reactivate'), { body, token, intention })
    } catch (error) {
      if (attempt.slip !== undefined && error instanceof ApiProblem && error.code === 'slip-not-today') return null
      throw error
    }
  }

  async function issue(attempt: Attempt): Promise<void> {
    const paper = prints.value
    const bundle = attempt.choices.find((choice) => choice.kind === 'bundle')
    const body: TakeTicket = {
      matters: bundle === undefined ? attempt.choices.map((choice) => choice.id) : [],
      bundle: bundle === undefined ? '' : bundle.id,
      quantity: attempt.quantity, priority: attempt.priority, language: attempt.english ? 'en' : 'zh', paper, slip: attempt.slip ?? '', card: attempt.card?.token ?? '',
    }
    const intention = Intention.of(attempt.key)
    for (let tried = 1; ; tried += 1) {
      try {
        const taken = (await broughtBack(attempt)) ?? (await request<TicketTaken>(hallPath(hallId(), 'tickets'), { body, token, intention }))
        return dispatch({ step: 'taken', key: attempt.key, taken, paper })
      } catch (error) {
        // No answer says nothing about the ticket: the same key asks again and can make no second one.
        const unanswered = error instanceof ApiProblem && (error.status === 0 || error.status === 503)
        if (error instanceof ApiProblem && error.code === 'card-gone') dispatch({ step: 'nocard' })
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
      await request(hallPath(hallId(), 'tickets', id, 'reprint'), { body: { card: session.value.card?.token ?? '' }, token, intention: new Intention() })
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
    const asked = new URLSearchParams({ q: query.q ?? '', domain: query.domain ?? '', lang: session.value.modes.english ? 'en' : 'zh', limit: String(query.limit), offset: String(query.offset) })
    return request<MatterHits>(`${hallPath(hallId(), 'matters')}?${asked.toString()}`, { token })
  }

  /** What this page says to who turned the voice on; a new page is heard instead of the last (UX K-06, K-07). */
  const guidance = computed(() => (session.value.modes.voice && documents.value.kiosk?.voice ? sentenceFor(session.value, paused.value) : null))
  watch([() => JSON.stringify(guidance.value), () => session.value.modes.english], () => say(guidance.value))
  async function say(said: Said | null): Promise<void> {
    player.hush()
    if (said === null || (player.state.ready !== 'ready' && !(await player.selfTest()))) return
    live.send({ type: 'say', ...said, language: session.value.modes.english ? 'en' : 'zh' })
  }
  /** A spoken number, for who sets how loud it is (UX K-16). */
  function sound(): void {
    if (documents.value.kiosk?.voice) void say({ phrase: 'paper', number: 'A012', ahead: 5 })
  }

  /** The server forgets a card with the line it was told on. */
  watch(() => live.state.connected, () => dispatch({ step: 'nocard' }))
  watch(() => session.value.modes.english, (english) => setLocale(english ? 'en' : 'zh-CN'))
  const ticking = setInterval(() => dispatch({ step: 'tick' }), 250)
  const deaf = onScan((token) => {
    if (hears(session.value, now())) dispatch({ step: 'slip', token, key: newKey() })
  })
  onBeforeUnmount(() => {
    deaf()
    clearInterval(ticking)
    forgetPaper()
  })

  return reactive({ session, nowMs, live, documents, printer, prints, paused, player: player.state, of, token, dispatch, reprint, help, find, sound, newKey, title: () => t('kiosk.title') })
}

export type Kiosk = ReturnType<typeof useKiosk>
