/** The line of a paired screen (hall, window, kiosk): its token, its view, and the way back to pairing. */
import { computed, onBeforeUnmount, ref, type ComputedRef } from 'vue'
import { fixture } from '../fixtures'
import { connectLive, type Live, type LiveOptions } from './live'
import { forgetToken, goJoin, keepToken, screenToken } from './token'
import type { DeviceFacts } from '../remote/device'
import type { Errand, ErrandDone, Pattern } from './wire'

/** The server knows no screen and no member of staff behind this page. */
const NOBODY = 'unauthorised'

export interface Screen<T> {
  live: Live
  /** The documents of the view that the token is for; {} before the first snapshot. */
  documents: ComputedRef<Partial<T>>
  /** True on the development server with `?fixture=`. */
  recorded: boolean
  token: string
  facts: () => DeviceFacts
}

export interface ScreenOptions<T> extends Partial<LiveOptions> {
  /** What a citizen reads here now: a test pattern goes when it changes. */
  stands: (documents: Partial<T>) => unknown
  /** Whether nobody uses the page. */
  free?: () => boolean
  /** Whether it sounds, in words. */
  sound?: () => string
}

const SETTLED_MS = 500

/**
 * Opens the screen's one subscription. A page that is nobody's goes to pairing (UX S-03); `?token=` pairs it at once, for a
 * launcher that holds the token already. Call inside setup.
 */
export function openScreen<T>(view: string, options: ScreenOptions<T>): Screen<T> {
  const recorded = import.meta.env.DEV ? fixture(view) : null
  const asked = new URLSearchParams(location.search)
  const given = asked.get('token')
  if (given !== null) {
    keepToken(given)
    asked.delete('token')
    const rest = asked.toString()
    history.replaceState(null, '', location.pathname + (rest === '' ? '' : `?${rest}`))
  }
  const token = screenToken()
  // Staff look at a screen by their cookie and say in the address which one: `?of=`.
  const of = ref(asked.get('of') ?? '')
  /** Ends a pattern that stands, and one that is being fetched. */
  let forget: () => void = () => undefined
  async function tryOut(pattern: Pattern): Promise<void> {
    forget()
    let wanted = true
    forget = () => { wanted = false }
    const tell = (outcome: string, reason: string) => live.send({ type: 'pattern_ended', id: pattern.id, outcome, reason })
    const stands = () => JSON.stringify(options.stands(documents.value))
    const before = stands()
    try {
      const { showPattern, endPattern } = await import('../pattern/show')
      if (!wanted || before !== stands() || options.free?.() === false) return void tell('busy', '')
      forget = endPattern
      showPattern(pattern, { stands, sound: options.sound ?? (() => ''), tell })
    } catch {
      tell('failed', 'load')
    }
  }
  async function goOn(errand: Errand): Promise<void> {
    const tell = (done: ErrandDone) => live.send(done)
    try {
      const { carryOut } = await import('../remote/errands')
      carryOut(errand, { free: options.free ?? (() => true), quiet: options.idle ?? (() => true), facts, tell })
    } catch {
      tell({ type: 'errand_done', id: errand.id, outcome: 'failed', reason: 'load', text: '', width: 0, height: 0, ratio: 0 })
    }
  }
  /** What the server told of this box (UX D-15). */
  function facts(): DeviceFacts {
    const { name, device, address, build } = live.state.welcome ?? { name: '', device: '', address: '', build: '' }
    return { name: name || device, address, build, shows: '', sound: options.sound?.() ?? '' }
  }
  let settling: ReturnType<typeof setTimeout> | undefined
  function tellSize(): void {
    if (live.state.welcome?.device) live.send({ type: 'page', width: innerWidth, height: innerHeight, ratio: devicePixelRatio })
  }
  function resized(): void {
    clearTimeout(settling)
    settling = setTimeout(tellSize, SETTLED_MS)
  }
  addEventListener('resize', resized)
  const live: Live = connectLive({
    token,
    wants: () => [{ view, of: of.value }],
    ...options,
    onWelcome: (welcome) => {
      if (welcome.device !== '') of.value = welcome.of
      tellSize()
      options.onWelcome?.(welcome)
      // A token says what its screen is: a box that opens another page is sent to its own.
      if (recorded === null && welcome.device !== '' && welcome.view !== '' && welcome.view !== view) location.replace(`/${welcome.view}`)
    },
    onPattern: (pattern) => void tryOut(pattern),
    onErrand: (errand) => void goOn(errand),
    // Whoever is called, or has laid a card on, goes first.
    onPlay: (play) => {
      forget()
      options.onPlay?.(play)
    },
    onReading: (reading) => {
      forget()
      options.onReading?.(reading)
    },
    onRefused: (refused) => {
      options.onRefused?.(refused)
      if (refused.code !== NOBODY) return
      forgetToken()
      goJoin()
    },
    ...recorded,
  })
  const documents = computed(() => live.documents<T>(view, of.value))
  onBeforeUnmount(() => {
    removeEventListener('resize', resized)
    live.close()
  })
  return { live, documents, recorded: recorded !== null, token, facts }
}
