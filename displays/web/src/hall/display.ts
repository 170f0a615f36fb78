/** The line, the loudspeaker and the memory of a hall display. */
import { computed, onBeforeUnmount, ref, type ComputedRef } from 'vue'
import { Player, TEST_EVERY_MS } from '../core/audio'
import { t } from '../core/i18n'
import { openScreen } from '../core/screen'
import type { CallsDocument, HallDocument, NoticeDocument, PrepareDocument, SpeechDocument } from '../core/wire'
import { startsAfresh } from './rest'
import { load, save } from './saved'

/** A box wired to no loudspeaker says so in its address: it never becomes the zone's player. */
const soundOff = new URLSearchParams(location.search).get('sound') === 'off'

/** The keyed map of the view `hall`. */
export interface HallView {
  hall: HallDocument
  calls: CallsDocument
  recent: CallsDocument
  prepare: PrepareDocument
  passed: CallsDocument
  notice: NoticeDocument
  speech: SpeechDocument
}

export function useDisplay() {
  const saved = load(Date.now(), localStorage)
  const savedAt = ref<number | null>(saved?.at ?? null)
  const kept = saved?.documents ?? {}
  const tapFailed = ref(false)
  const startedAt = performance.now()
  let zone = ''
  /** Only a paired box sounds: a manager who looks at this page from the office must not become the zone's player. */
  const sounds: ComputedRef<boolean> = computed(() => !soundOff && live.state.welcome !== null && live.state.welcome.device !== '')

  const player = new Player({
    onBegan: (id) => live.send({ type: 'began', id }),
    onEnd: (end) => live.send({ type: 'played', ...end }),
    onReady: () => {
      announce()
      // A box that is meant to be silent is no alarm (V-09).
      live.send({ type: 'alive', sound: soundOff ? '' : player.state.ready })
    },
  })

  function announce(): void {
    if (sounds.value) live.send({ type: 'player', zone, ready: player.state.ready === 'ready' })
  }

  // `live` is named in the callbacks above; none runs before this line has.
  const { live, documents: fresh, recorded, facts } = openScreen<HallView>('hall', {
    idle: () => player.state.playing === '',
    stands: ({ hall, calls, speech }) => [hall?.message, calls, speech],
    sound: () => soundWord.value,
    onWelcome: (welcome) => {
      zone = welcome.of
      announce()
    },
    onPlay: (play) => player.enqueue(play),
    onChange: (want, documents) => {
      savedAt.value = null
      if (!recorded) save({ of: want.of, at: live.state.nowMs, documents: { ...documents } }, localStorage)
    },
  })

  const documents = computed<Partial<HallView>>(() => (savedAt.value !== null ? kept : fresh.value))

  const testing = setInterval(() => void player.selfTest(), TEST_EVERY_MS)
  const resting = setInterval(() => {
    const heap = (performance as { memory?: { usedJSHeapSize: number } }).memory?.usedJSHeapSize ?? 0
    const closed = documents.value.hall?.state === 'closed'
    const running = { fresh: live.state.age === 'fresh', speaking: player.state.playing !== '', closed, ranMs: performance.now() - startedAt, heap }
    if (startsAfresh(running)) location.reload()
  }, 60_000)
  if (!soundOff && !recorded) void player.selfTest()

  onBeforeUnmount(() => {
    clearInterval(testing)
    clearInterval(resting)
  })

  const soundWord: ComputedRef<string> = computed(() => t(!sounds.value ? 'device.off' : `device.${player.state.ready}`))

  return {
    live,
    player,
    sounds,
    documents,
    savedAt,
    tapFailed,
    facts,
    async enableSound(): Promise<void> {
      tapFailed.value = !(await player.selfTest())
    },
  }
}
