/** Puts a test pattern over a page and takes it away again: by its own clock, so that a broken connection leaves none standing. */
import { createApp, h, reactive, watch } from 'vue'
import { addMessages, t, words } from '../core/i18n'
import type { Pattern } from '../core/wire'
import TestPattern from './TestPattern.vue'
import en from './en.json'
import zh from './zh-CN.json'
import tone from './tone.wav?url'

addMessages(zh, en)

export interface Beneath {
  /** What a citizen reads on this page; when it changes the pattern goes. */
  stands: () => string
  /** Whether the page sounds, in words; '' for a page that never does. */
  sound: () => string
  /** Called once: what came of it. */
  tell: (outcome: 'done' | 'busy' | 'failed', reason: string) => void
}

const LONGEST_MS = 30_000
/** A browser says within this time whether it lets a page sound. */
const TONE_STARTS_MS = 1500
/** A page that is seen paints within this time; one that another window covers never does. */
const PAINTS_MS = 3000

/** Takes the pattern away that stands now. */
let end: () => void = () => undefined

export function endPattern(): void {
  end()
}

/** Shows it instead of one that stands already. */
export function showPattern(pattern: Pattern, beneath: Beneath): void {
  end()
  if (document.hidden) return beneath.tell('failed', 'hidden')
  const lastsMs = Math.min(LONGEST_MS, pattern.for_ms)
  const shown = reactive({ name: pattern.name, place: words(pattern.place), sound: beneath.sound() || t('pattern.none'), untilMs: performance.now() + lastsMs })
  const host = document.createElement('div')
  document.body.appendChild(host)
  const app = createApp(() => h(TestPattern, { ...shown }))
  app.mount(host)
  const sounding = pattern.volume > 0 ? new Audio(tone) : null
  const stop = watch(beneath.stands, () => end())
  const timer = setTimeout(() => end(), lastsMs)
  // A finger's click, not its touch: else what lies beneath would be pressed.
  const pressed = () => end()
  host.addEventListener('click', pressed)
  document.addEventListener('keydown', pressed)
  let over = false
  const mine = () => {
    if (over) return
    over = true
    stop()
    clearTimeout(timer)
    host.removeEventListener('click', pressed)
    document.removeEventListener('keydown', pressed)
    if (sounding !== null) sounding.pause()
    app.unmount()
    host.remove()
    if (end === mine) end = () => undefined
  }
  end = mine
  void stood(sounding, pattern.volume).then((heard) => {
    if (over) return beneath.tell('busy', '')
    if (heard === 'hidden') {
      mine()
      return beneath.tell('failed', heard)
    }
    if (heard !== '') shown.sound = t(`pattern.${heard}`)
    beneath.tell('done', heard)
  })
}

/** Waits until it is painted (else hidden), and for the tone to begin: sounded, blocked, or '' when none was asked for. */
async function stood(sounding: HTMLAudioElement | null, volume: number): Promise<'sounded' | 'blocked' | 'hidden' | ''> {
  const painted = new Promise<boolean>((settle) => {
    requestAnimationFrame(() => requestAnimationFrame(() => settle(true)))
    setTimeout(() => settle(false), PAINTS_MS)
  })
  if (!(await painted)) return 'hidden'
  if (sounding === null) return ''
  sounding.volume = Math.min(1, volume / 100)
  const late = new Promise<never>((_, reject) => setTimeout(reject, TONE_STARTS_MS))
  try {
    await Promise.race([sounding.play(), late])
    return 'sounded'
  } catch {
    sounding.pause()
    return 'blocked'
  }
}
