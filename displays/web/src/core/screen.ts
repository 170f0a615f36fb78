/** The line of a paired screen (hall, window, kiosk): its token, its view, and the way back to pairing. */
import { computed, onBeforeUnmount, type ComputedRef } from 'vue'
import { fixture } from '../fixtures'
import { connectLive, type Live, type LiveOptions } from './live'
import { forgetToken, goJoin, screenToken } from './token'

/** Codes after which the token is worth nothing any more. */
const TOKEN_DEAD = ['token_unknown', 'token_revoked', 'unauthenticated']

export interface Screen<T> {
  live: Live
  /** The documents of the view that the token is for; {} before the first snapshot. */
  documents: ComputedRef<Partial<T>>
  /** True on the development server with `?fixture=`. */
  recorded: boolean
  token: string
}

/** Opens the screen's one subscription; without a token the page goes to pairing (UX S-03). Call inside setup. */
export function openScreen<T>(view: string, options: Partial<LiveOptions> = {}): Screen<T> {
  const recorded = import.meta.env.DEV ? fixture(view) : null
  const token = screenToken()
  if (token === '' && recorded === null) goJoin()
  const live = connectLive({
    token,
    wants: (welcome) => [{ view, of: welcome.of }],
    ...options,
    onRefused: (refused) => {
      options.onRefused?.(refused)
      if (!TOKEN_DEAD.includes(refused.code)) return
      forgetToken()
      goJoin()
    },
    ...recorded,
  })
  onBeforeUnmount(() => live.close())
  return { live, documents: computed(() => live.documents<T>(view, live.state.welcome?.of ?? '')), recorded: recorded !== null, token }
}
