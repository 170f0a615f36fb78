/** The manager's hall: live documents, requests with one key each, one sentence of outcome, one question before what cannot be undone. */
import { computed, reactive, shallowRef, watch } from 'vue'
import { Intention, request } from '../core/api'
import { connectLive } from '../core/live'
import { locale, words } from '../core/i18n'
import { problemWords } from '../core/problem'
import type { AlarmsDocument, DemandDocument, DevicesDocument, FiguresDocument, HallDocument, QueuesDocument, Session, WindowsDocument, Words } from '../core/wire'
import { path } from '../staff/session'

export interface ManagerView {
  hall: HallDocument
  windows: WindowsDocument
  queues: QueuesDocument
  alarms: AlarmsDocument
  devices: DevicesDocument
  figures: FiguresDocument
  demand: DemandDocument
}

export interface Question {
  title: string
  text: string
  yes: string
  grave: boolean
}

export function useManager(session: Session) {
  /** A refusal in both languages; what was done in the one it was done in, and a change of language ends it. */
  const saying = shallowRef<Words | string>('')
  const said = computed(() => (typeof saying.value === 'string' ? saying.value : words(saying.value)))
  watch(locale, () => { if (typeof saying.value === 'string') hush() })
  const state = reactive({ said, tone: 'plain' as 'plain' | 'alert', count: 0, busy: '', question: null as Question | null, window: '', windows: [] as string[], message: false, page: 'now', ticket: '' })
  let answer: ((yes: boolean) => void) | null = null

  const live = connectLive({
    token: '',
    wants: () => [{ view: 'manager', of: '' }],
    idle: () => state.question === null && state.busy === '' && state.window === '' && !state.message && state.page === 'now',
    onRefused: (refused) => say(refused.text, 'alert'),
  })
  const view = computed(() => live.documents<ManagerView>('manager'))

  function say(text: Words | string, tone: 'plain' | 'alert' = 'plain'): void {
    saying.value = text
    state.tone = tone
    state.count += 1
  }

  function hush(): void {
    saying.value = ''
  }

  /** Resolves to what the person answered; one question at a time. */
  function confirm(question: Question): Promise<boolean> {
    answer?.(false)
    state.question = question
    return new Promise((resolve) => { answer = resolve })
  }
  function reply(yes: boolean): void {
    state.question = null
    answer?.(yes)
    answer = null
  }

  /** The answer, or null after saying why not. While one is under way another press does nothing. */
  async function ask<T>(parts: string[], options: { body?: unknown; method?: 'GET' | 'POST' | 'DELETE'; query?: Record<string, string> } = {}): Promise<T | null> {
    const writes = options.body !== undefined || options.method === 'DELETE'
    const name = parts.join('/')
    if (writes && state.busy !== '') return null
    if (writes) state.busy = name
    try {
      return await request<T>(path(...parts), { ...options, intention: writes ? new Intention() : undefined, timeoutMs: 20_000 })
    } catch (error) {
      say(problemWords(error), 'alert')
      return null
    } finally {
      if (writes) state.busy = ''
    }
  }

  /** True when a write without an answer of interest was done. */
  async function tell(parts: string[], options: { body?: unknown; method?: 'POST' | 'DELETE' }, done: string): Promise<boolean> {
    const before = state.count
    const answered = await ask<unknown>(parts, options)
    if (answered === null || (answered === undefined && state.count !== before)) return false
    say(done)
    return true
  }

  return { session, live, view, state, say, hush, confirm, reply, ask, tell }
}

export type Manager = ReturnType<typeof useManager>
