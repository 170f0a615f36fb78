/** The guide's line to the server, the session and its lock. */
import { computed, onBeforeUnmount, reactive, ref, shallowRef } from 'vue'
import { ApiProblem, hallPath, Intention, request } from '../core/api'
import { hallId } from '../core/hall'
import { locale } from '../core/i18n'
import { connectLive, type Live } from '../core/live'
import type { AlarmsDocument, DemandDocument, DevicesDocument, HallDocument, MatterHits, MenuDocument, QueuesDocument, Session, TicketTaken, WindowsDocument } from '../core/wire'
import { fixture } from '../fixtures'
import { locked, READ_MS } from './desk'

interface Documents {
  hall: HallDocument
  menu: MenuDocument
  windows: WindowsDocument
  queues: QueuesDocument
  alarms: AlarmsDocument
  devices: DevicesDocument
  demand: DemandDocument
}

const PRINTER_KEY = 'yichuang.guide.printer'
const KEPT_QUESTIONS = 60

function path(...parts: string[]): string {
  return hallPath(hallId(), ...parts)
}

export function useGuide() {
  const recorded = import.meta.env.DEV ? fixture('guide') : null
  const staff = ref<Session | null>(null)
  const state = ref<'starting' | 'out' | 'in' | 'locked'>('starting')
  const live = shallowRef<Live | null>(null)
  const touchedAt = ref(Date.now())
  const nowMs = ref(Date.now())
  const printer = ref(read())
  const answers = new Map<string, MatterHits>()
  let busy = 0

  function read(): string {
    try {
      return localStorage.getItem(PRINTER_KEY) ?? ''
    } catch {
      return ''
    }
  }

  function choosePrinter(id: string): void {
    printer.value = id
    try {
      localStorage.setItem(PRINTER_KEY, id)
    } catch {
      // Storage is off: chosen again after the next start.
    }
  }

  function connect(): void {
    live.value = connectLive({
      token: '',
      wants: () => [{ view: 'guide', of: '' }],
      idle: () => busy === 0,
      onRefused: (refused) => {
        if (refused.code === 'unauthorised') leave()
      },
      ...recorded,
    })
  }

  function leave(): void {
    live.value?.close()
    live.value = null
    answers.clear()
    state.value = staff.value === null ? 'out' : 'locked'
  }

  function enter(session: Session): void {
    if (session.must_change_password) return location.replace('/login?to=%2Fguide')
    staff.value = session
    touchedAt.value = Date.now()
    state.value = 'in'
    connect()
  }

  async function begin(): Promise<void> {
    try {
      enter(await request<Session>(path('session')))
    } catch (error) {
      state.value = 'out'
      if (!(error instanceof ApiProblem) || (error.status !== 401 && error.status !== 403)) setTimeout(() => state.value === 'out' && staff.value === null && void begin(), 3000)
    }
  }

  async function signIn(number: string, password: string): Promise<void> {
    enter(await request<Session>(path('session'), { body: { staff: number, password }, intention: new Intention() }))
  }

  /** UX G-06: the page is empty at once; the server's session ends too, so that the tablet's cookie is worth nothing. */
  function lock(): void {
    if (state.value !== 'in') return
    leave()
    void request(path('session'), { method: 'DELETE', intention: new Intention() }).catch(() => undefined)
  }

  /** Another person takes the tablet. */
  function forget(): void {
    staff.value = null
    state.value = 'out'
  }

  async function call<T>(parts: string[], body: unknown, intention = new Intention()): Promise<T> {
    busy += 1
    touchedAt.value = Date.now()
    try {
      return await request<T>(path(...parts), { body, intention })
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 401) leave()
      throw error
    } finally {
      busy -= 1
      touchedAt.value = Date.now()
    }
  }

  async function get<T>(parts: string[], query: Record<string, string> = {}): Promise<T> {
    const asked = new URLSearchParams(query).toString()
    return request<T>(path(...parts) + (asked === '' ? '' : `?${asked}`))
  }

  /** UX G-05: a question asked before is answered from memory while the server is away. */
  async function find(q: string, limit: number, offset: number): Promise<MatterHits> {
    const lang = locale.value === 'en' ? 'en' : 'zh'
    const key = `${lang}/${q}/${limit}/${offset}`
    try {
      const hits = await get<MatterHits>(['matters'], { q, lang, limit: String(limit), offset: String(offset) })
      if (answers.size >= KEPT_QUESTIONS) answers.delete(answers.keys().next().value as string)
      answers.set(key, hits)
      return hits
    } catch (error) {
      const held = answers.get(key)
      if (held !== undefined) return held
      throw error
    }
  }

  const documents = computed<Partial<Documents>>(() => live.value?.documents<Documents>('guide') ?? {})
  const line = computed(() => live.value?.state ?? null)
  /** Nothing may be changed while the line is cut: what is on the page may be wrong. */
  const offline = computed(() => line.value === null || line.value.silentMs === null || line.value.silentMs > 4000)
  const unreadable = computed(() => line.value !== null && line.value.silentMs !== null && line.value.silentMs > READ_MS)

  function touched(): void {
    if (state.value === 'in' && locked(touchedAt.value, Date.now())) lock()
    touchedAt.value = Date.now()
  }

  const ticking = setInterval(() => {
    nowMs.value = Date.now()
    if (busy > 0) touchedAt.value = nowMs.value
    if (locked(touchedAt.value, nowMs.value)) lock()
  }, 1000)
  document.addEventListener('pointerdown', touched)
  document.addEventListener('keydown', touched)
  onBeforeUnmount(() => {
    clearInterval(ticking)
    document.removeEventListener('pointerdown', touched)
    document.removeEventListener('keydown', touched)
    live.value?.close()
  })
  void begin()

  const ticket = (id: string) => get<TicketTaken>(['tickets', id])
  return reactive({ staff, state, line, documents, offline, unreadable, printer, nowMs, choosePrinter, signIn, lock, forget, call, get, find, ticket })
}

export type Guide = ReturnType<typeof useGuide>
