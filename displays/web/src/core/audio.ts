/** The announcement player of a page: one file at a time, and every file ends, whatever it does (UX V-05, V-08, V-09). */
import { reactive, readonly } from 'vue'
/** 50 ms, 8 kHz, 8 bit: enough for the browser to say whether it lets a page sound. A file, for the content policy allows no blob. */
import silence from './silence.wav?url'
import type { Play } from './wire'

/** The part of HTMLAudioElement that is used; replaced in tests. */
export interface Sound {
  src: string
  volume: number
  onended: (() => void) | null
  onerror: (() => void) | null
  play(): Promise<void>
  pause(): void
}

export type Outcome = { id: string; outcome: 'done' | 'failed'; reason: string }

export interface PlayerOptions {
  /** Called at the first sound of a file (UX V-07). */
  onBegan?: (id: string) => void
  /** Called once for each file, in order. */
  onEnd: (outcome: Outcome) => void
  /** Called when the page can, or can no longer, sound. */
  onReady: (ready: boolean) => void
  sound?: () => Sound
}

export interface PlayerState {
  /** unknown until the first self-test; blocked means that the browser wants a tap. */
  ready: 'unknown' | 'ready' | 'blocked'
  playing: string
}

/** UX V-08: a file may last its length and three seconds more. */
export const GRACE_MS = 3000
/** UX V-09. */
export const TEST_EVERY_MS = 600_000
/** The server sends one at a time; what exceeds this is refused aloud, never dropped in silence. */
const QUEUE_LIMIT = 8

export class Player {
  private readonly options: PlayerOptions
  private readonly sound: Sound
  private readonly queue: Play[] = []
  private readonly seen: string[] = []
  private busy = false
  /** Ends the file that sounds, for who must be heard at once. */
  private cut: (() => void) | null = null
  private readonly held = reactive<PlayerState>({ ready: 'unknown', playing: '' })
  readonly state: PlayerState

  constructor(options: PlayerOptions) {
    this.options = options
    this.sound = (options.sound ?? (() => new Audio() as unknown as Sound))()
    this.state = readonly(this.held) as PlayerState
  }

  /** Tries whether the browser lets the page sound; called at start, every ten minutes, and by the tap. */
  async selfTest(): Promise<boolean> {
    if (this.busy) return this.held.ready === 'ready'
    this.busy = true
    try {
      this.sound.src = silence
      this.sound.volume = 0
      await this.sound.play()
      this.setReady('ready')
    } catch {
      this.setReady('blocked')
    } finally {
      this.busy = false
    }
    void this.next()
    return this.held.ready === 'ready'
  }

  /** Takes one announcement; the same id twice is one. */
  enqueue(play: Play): void {
    if (this.seen.includes(play.id)) return
    this.seen.push(play.id)
    if (this.seen.length > 64) this.seen.shift()
    if (this.queue.length >= QUEUE_LIMIT) return this.options.onEnd({ id: play.id, outcome: 'failed', reason: 'full' })
    this.queue.push(play)
    void this.next()
  }

  /** Plays this one instead of whatever sounds or waits: guidance follows the page, it never queues (UX K-06). */
  instead(play: Play): void {
    this.hush()
    this.enqueue(play)
  }

  /** Silence now; what sounded ends as failed. */
  hush(): void {
    this.queue.length = 0
    if (this.cut !== null) this.cut()
  }

  private setReady(ready: 'ready' | 'blocked'): void {
    if (this.held.ready === ready) return
    this.held.ready = ready
    this.options.onReady(ready === 'ready')
  }

  private async next(): Promise<void> {
    if (this.busy) return
    const play = this.queue.shift()
    if (play === undefined) return
    this.busy = true
    this.held.playing = play.id
    let reason = ''
    try {
      await this.sounding(play)
    } catch (error) {
      reason = error instanceof Error ? error.name + (error.message ? `: ${error.message}` : '') : String(error)
      if (reason.startsWith('NotAllowedError')) this.setReady('blocked')
    } finally {
      this.held.playing = ''
      this.busy = false
      this.options.onEnd({ id: play.id, outcome: reason === '' ? 'done' : 'failed', reason: reason.slice(0, 200) })
      void this.next()
    }
  }

  private sounding(play: Play): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => end(new Error('timeout')), play.duration_ms + GRACE_MS)
      const end = (error: Error | null) => {
        clearTimeout(timer)
        this.cut = null
        this.sound.onended = null
        this.sound.onerror = null
        if (error !== null) {
          this.sound.pause()
          reject(error)
        } else resolve()
      }
      this.cut = () => end(new Error('cut'))
      this.sound.onended = () => end(null)
      this.sound.onerror = () => end(new Error('unreadable'))
      this.sound.src = play.url
      this.sound.volume = Math.max(0, Math.min(1, play.volume / 100))
      this.sound.play().then(() => this.options.onBegan?.(play.id), (error: unknown) => end(error instanceof Error ? error : new Error(String(error))))
    })
  }
}
