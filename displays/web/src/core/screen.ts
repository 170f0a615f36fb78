/** The line of a paired screen (hall, window, kiosk): its token, its view, and the way back to pairing. */
import { computed, onBeforeUnmount, ref, type ComputedRef } from 'vue'
import { fixture } from '../fixtures'
import { connectLive, type Live, type LiveOptions } from './live'
import { forgetToken, goJoin, keepToken, screenToken } from './token'

/** The server knows no screen and no member of staff behind this page. */
const NOBODY = 'unauthorised'

export interface Screen<T> {
  live: Live
  /** The documents of the view that the token is for; {} before the first snapshot. */
  documents: ComputedRef<Partial<T>>
  /** True on the development server with `?fixture=`. */
  recorded: boolean
  token: string
}

/**
 * Opens the screen's one subscription. A page that is nobody's goes to pairing (UX S-03); `?token=` pairs it at once, for a
 * launcher that holds the token already. Call inside setup.
 */
export function openScreen<T>(view: string, options: Partial<LiveOptions> = {}): Screen<T> {
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
  const live = connectLive({
    token,
    wants: () => [{ view, of: of.value }],
    ...options,
    onWelcome: (welcome) => {
      if (welcome.device !== '') of.value = welcome.of
      options.onWelcome?.(welcome)
      // A token says what its screen is: a box that opens another page is sent to its own.
      if (recorded === null && welcome.device !== '' && welcome.view !== '' && welcome.view !== view) location.replace(`/${welcome.view}`)
    },
    onRefused: (refused) => {
      options.onRefused?.(refused)
      if (refused.code !== NOBODY) return
      forgetToken()
      goJoin()
    },
    ...recorded,
  })
  onBeforeUnmount(() => live.close())
  return { live, documents: computed(() => live.documents<T>(view, of.value)), recorded: recorded !== null, token }
}
