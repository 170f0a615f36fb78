/** UX, D-13: the line of a screen, against a socket that the test holds in its hand. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { connectLive, type Live, type LiveOptions } from '../src/core/live'

class Line {
  readyState = 0
  sent: Record<string, unknown>[] = []
  onopen: (() => void) | null = null
  onmessage: ((event: { data: string }) => void) | null = null
  onclose: (() => void) | null = null
  send(text: string) {
    this.sent.push(JSON.parse(text) as Record<string, unknown>)
  }
  close() {
    this.readyState = 3
    this.onclose?.()
  }
  accept(build = 'b1') {
    this.readyState = 1
    this.onopen?.()
    this.say({ type: 'welcome', at: Date.now(), start: 's1', build, hall: 'h', view: 'hall', of: 'z1', device: 'screen-03' })
  }
  say(message: Record<string, unknown>) {
    this.onmessage?.({ data: JSON.stringify(message) })
  }
  beat(epoch = 1, build = 'b1') {
    this.say({ type: 'heartbeat', at: Date.now(), epoch, start: 's1', build })
  }
}

let lines: Line[]
let live: Live
const last = () => lines[lines.length - 1]

function begin(more: Partial<LiveOptions> = {}) {
  live = connectLive({
    token: 'secret',
    url: 'ws://test',
    wants: (welcome) => [{ view: welcome.view, of: welcome.of }],
    open: () => {
      lines.push(new Line())
      return last() as unknown as WebSocket
    },
    now: () => Date.now(),
    ...more,
  })
}

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 23, 2, 32) })
  lines = []
})
afterEach(() => {
  live.close()
  vi.useRealTimers()
})

describe('live', () => {
  it('says hello with its token, then subscribes to what the welcome says', () => {
    begin()
    last().accept()
    expect(last().sent).toEqual([
      { type: 'hello', token: 'secret', build: '' },
      { type: 'subscribe', view: 'hall', of: 'z1' },
    ])
    last().say({ type: 'snapshot', view: 'hall', of: 'z1', version: { epoch: 1, seq: 1, n: 0 }, documents: { calls: { calls: [] } } })
    expect(live.documents('hall', 'z1')).toEqual({ calls: { calls: [] } })
    expect(live.state.age).toBe('fresh')
  })

  it('UX X-06: ages while nothing is heard, keeps the documents, and is fresh again at once', () => {
    begin({ open: () => { lines.push(new Line()); return last() as unknown as WebSocket } })
    last().accept()
    last().say({ type: 'snapshot', view: 'hall', of: 'z1', version: { epoch: 1, seq: 1, n: 0 }, documents: { a: 1 } })
    const ages: string[] = []
    for (const wait of [2000, 2000, 8000, 55_000]) {
      vi.advanceTimersByTime(wait)
      ages.push(live.state.age)
    }
    expect(ages).toEqual(['fresh', 'reconnecting', 'old', 'dead'])
    expect(live.documents('hall', 'z1')).toEqual({ a: 1 })
    while (last().readyState !== 0) vi.advanceTimersByTime(100)
    last().accept()
    expect(live.state.age).toBe('fresh')
  })

  it('UX X-07: a line that falls silent without closing is replaced, and attempts never stop', () => {
    begin()
    last().accept()
    vi.advanceTimersByTime(60_000)
    expect(lines.length).toBeGreaterThan(8)
  })

  it('refuses documents and announcements of a lower epoch', () => {
    const played: string[] = []
    begin({ onPlay: (play) => played.push(play.id) })
    last().accept()
    const snapshot = (epoch: number, a: string) => ({ type: 'snapshot', view: 'hall', of: 'z1', version: { epoch, seq: 1, n: 0 }, documents: { a } })
    last().say(snapshot(2, 'right'))
    last().say(snapshot(1, 'wrong'))
    last().say({ type: 'play', id: 'p1', epoch: 1, zone: 'z1', url: '/x', duration_ms: 1, text: { zh: '', en: '' }, volume: 100 })
    last().say({ type: 'play', id: 'p2', epoch: 2, zone: 'z1', url: '/x', duration_ms: 1, text: { zh: '', en: '' }, volume: 100 })
    expect(live.documents('hall', 'z1')).toEqual({ a: 'right' })
    expect(played).toEqual(['p2'])
  })

  it('UX X-08: reloads on a new build, and only when idle', () => {
    const reload = vi.fn()
    let idle = false
    begin({ reload, idle: () => idle })
    last().accept('b1')
    last().beat(1, 'b2')
    vi.advanceTimersByTime(2500)
    expect(reload).not.toHaveBeenCalled()
    idle = true
    last().beat(1, 'b2')
    vi.advanceTimersByTime(1500)
    expect(reload).toHaveBeenCalledTimes(1)
  })

  it('UX P-05: says nothing while paused and comes back at once', () => {
    begin()
    last().accept()
    live.pause()
    const before = lines.length
    vi.advanceTimersByTime(30_000)
    expect(lines.length).toBe(before)
    live.resume()
    expect(lines.length).toBe(before + 1)
  })

  it('survives a message that is no JSON', () => {
    begin()
    last().accept()
    last().onmessage?.({ data: '{' })
    last().beat()
    expect(live.state.age).toBe('fresh')
  })
})
