/** UX V-05, V-08, V-09: one file at a time, every file ends, and a blocked page says so. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Player, type Outcome, type Sound } from '../src/core/audio'
import type { Play } from '../src/core/wire'

class Speaker implements Sound {
  src = ''
  volume = 1
  onended: (() => void) | null = null
  onerror: (() => void) | null = null
  heard: string[] = []
  refuse = ''
  play() {
    if (this.refuse) return Promise.reject(new DOMException('no', this.refuse))
    this.heard.push(this.src)
    return Promise.resolve()
  }
  pause() {}
}

const play = (id: string): Play => ({ type: 'play', id, epoch: 1, zone: 'z', url: `/clips/${id}`, duration_ms: 2000, text: { zh: '', en: '' }, volume: 80, again: false })

let speaker: Speaker
let ended: Outcome[]
let ready: boolean[]
let player: Player

beforeEach(() => {
  vi.useFakeTimers()
  speaker = new Speaker()
  ended = []
  ready = []
  player = new Player({ onEnd: (outcome) => ended.push(outcome), onReady: (can) => ready.push(can), sound: () => speaker })
})
afterEach(() => {
  vi.useRealTimers()
})

const settle = () => vi.advanceTimersByTimeAsync(0)

describe('Player', () => {
  it('V-05: plays one at a time, in order, and never the same twice', async () => {
    for (const id of ['1', '2', '1']) player.enqueue(play(id))
    await settle()
    expect(speaker.heard).toEqual(['/clips/1'])
    speaker.onended?.()
    await settle()
    expect(speaker.heard).toEqual(['/clips/1', '/clips/2'])
    speaker.onended?.()
    await settle()
    expect(ended).toEqual([{ id: '1', outcome: 'done', reason: '' }, { id: '2', outcome: 'done', reason: '' }])
    expect(speaker.volume).toBe(0.8)
  })

  it('V-07: the first sound of each file is told once, and none of a file that never began', async () => {
    const began: string[] = []
    const measured = new Player({ onBegan: (id) => began.push(id), onEnd: () => undefined, onReady: () => undefined, sound: () => speaker })
    measured.enqueue(play('1'))
    await settle()
    speaker.onended?.()
    speaker.refuse = 'NotSupportedError'
    measured.enqueue(play('2'))
    await settle()
    expect(began).toEqual(['1'])
  })

  it('UX 13.3: a file that is missing does not silence the ones after it', async () => {
    for (const id of ['1', '2', '3']) player.enqueue(play(id))
    await settle()
    speaker.onended?.()
    await settle()
    speaker.onerror?.()
    await settle()
    speaker.onended?.()
    await settle()
    expect(ended.map((end) => end.outcome)).toEqual(['done', 'failed', 'done'])
  })

  it('V-08: a file that never ends is given up after its length and 3 s', async () => {
    player.enqueue(play('1'))
    player.enqueue(play('2'))
    await vi.advanceTimersByTimeAsync(4900)
    expect(ended).toEqual([])
    await vi.advanceTimersByTimeAsync(200)
    expect(ended).toEqual([{ id: '1', outcome: 'failed', reason: 'Error: timeout' }])
    expect(speaker.heard).toEqual(['/clips/1', '/clips/2'])
  })

  it('V-09: a blocked page says so, and the tap that opens it says so too', async () => {
    speaker.refuse = 'NotAllowedError'
    expect(await player.selfTest()).toBe(false)
    expect(player.state.ready).toBe('blocked')
    speaker.refuse = ''
    expect(await player.selfTest()).toBe(true)
    expect(ready).toEqual([false, true])
  })

  it('V-09: a refusal in the middle of the day takes the page out of service', async () => {
    await player.selfTest()
    speaker.refuse = 'NotAllowedError'
    player.enqueue(play('1'))
    await settle()
    expect(ready).toEqual([true, false])
    expect(ended[0]).toMatchObject({ outcome: 'failed' })
  })

  it('K-06: guidance is heard instead of the last, never behind it', async () => {
    player.enqueue(play('1'))
    player.enqueue(play('2'))
    await settle()
    player.instead(play('3'))
    await settle()
    expect(speaker.heard).toEqual(['/clips/1', '/clips/3'])
    expect(ended).toEqual([{ id: '1', outcome: 'failed', reason: 'Error: cut' }])
    player.hush()
    await settle()
    expect(ended.map((end) => end.id)).toEqual(['1', '3'])
    player.hush()
    player.instead(play('4'))
    await settle()
    expect(speaker.heard).toEqual(['/clips/1', '/clips/3', '/clips/4'])
  })
})
