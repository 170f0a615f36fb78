/** The line, the loudspeaker and the memory of a hall display. */
import { computed, onBeforeUnmount, ref } from 'vue'
import { Player, TEST_EVERY_MS } from '../core/audio'
import { t } from '../core/i18n'
import { connectLive } from '../core/live'
import { forgetToken, goJoin, screenToken } from '../core/token'
import type { HallDocument } from '../core/wire'
import { fixture } from '../fixtures'
import { load, save } from './saved'

/** D-10: a page that has run this long starts afresh once the hall is closed. */
const LONG_RUN_MS = 20 * 3_600_000
/** Codes after which the token is worth nothing any more. */
const TOKEN_DEAD = ['token_unknown', 'token_revoked', 'unauthenticated']
/** A box wired to no loudspeaker says so in its address: it never becomes the zone's player. */
const soundOff = new URLSearchParams(location.search).get('sound') === 'off'

export function useDisplay() {
  const recorded = import.meta.env.DEV ? fixture('hall') : null
  const token = screenToken()
  if (token === '' && recorded === null) goJoin()

  const saved = recorded === null ? load(Date.now(), localStorage) : null
  const savedAt = ref<number | null>(saved?.at ?? null)
  const kept = saved?.documents ?? {}
  const tapFailed = ref(false)
  const startedAt = performance.now()
  let zone = ''

  const player = new Player({
    onEnd: (end) => live.send({ type: 'played', ...end }),
    onReady: () => {
      announce()
      live.send({ type: 'alive', sound: player.state.ready })
    },
  })

  function announce(): void {
    if (!soundOff) live.send({ type: 'player', zone, ready: player.state.ready === 'ready' })
  }

  const live = connectLive({
    token,
    wants: (welcome) => [{ view: 'hall', of: welcome.of }],
    idle: () => player.state.playing === '',
    onWelcome: (welcome) => {
      zone = welcome.of
      announce()
    },
    onPlay: (play) => player.enqueue(play),
    onChange: (want, documents) => {
      savedAt.value = null
      if (recorded === null) save({ of: want.of, at: live.state.nowMs, documents: { ...documents } }, localStorage)
    },
    onRefused: (refused) => {
      if (!TOKEN_DEAD.includes(refused.code)) return
      forgetToken()
      goJoin()
    },
    ...recorded,
  })

  const documents = computed(() => {
    const of = live.state.welcome?.of ?? ''
    const fresh = live.documents<Record<string, unknown>>('hall', of)
    return savedAt.value !== null && Object.keys(fresh).length === 0 ? kept : fresh
  })

  const testing = setInterval(() => void player.selfTest(), TEST_EVERY_MS)
  const resting = setInterval(() => {
    const closed = (documents.value.hall as HallDocument | undefined)?.state === 'closed'
    if (closed && performance.now() - startedAt > LONG_RUN_MS) location.reload()
  }, 60_000)
  if (!soundOff && recorded === null) void player.selfTest()

  onBeforeUnmount(() => {
    clearInterval(testing)
    clearInterval(resting)
    live.close()
  })

  return {
    live,
    player,
    documents,
    savedAt,
    tapFailed,
    soundWord: computed(() => t(soundOff ? 'device.off' : `device.${player.state.ready}`)),
    async enableSound(): Promise<void> {
      tapFailed.value = !(await player.selfTest())
    },
  }
}
