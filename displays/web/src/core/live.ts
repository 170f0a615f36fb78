/** The websocket of a screen: subscribes to live maps, keeps them in order, says how old they are, and comes back by itself. */
import { reactive, readonly } from 'vue'
import { ageOf, reconnectDelayMs, type Age } from './age'
import { allowMotion } from './motion'
import { ViewMap, type Documents } from './version'
import type { FromScreen, Errand, HallDocument, Pattern, Play, Reading, Refused, Snapshot, Change, Heartbeat, Subscribe, ToScreen, Welcome } from './wire'

/** A subscription without its tag; `of` may be left empty when the token says what the screen is. */
export interface Want {
  view: string
  of: string
}

export interface LiveOptions {
  token: string
  /** Asked again after each welcome, which says what a paired screen is. */
  wants: (welcome: Welcome) => Want[]
  /** A fresh connection may reload the page for a new build only when this says so (UX X-08). */
  idle?: () => boolean
  onPlay?: (play: Play) => void
  onReading?: (reading: Reading) => void
  onPattern?: (pattern: Pattern) => void
  onErrand?: (errand: Errand) => void
  onRefused?: (refused: Refused) => void
  onWelcome?: (welcome: Welcome) => void
  onChange?: (want: Want, documents: Documents) => void
  /** Replaced in tests. */
  open?: (url: string) => WebSocket
  url?: string
  now?: () => number
  reload?: () => void
}

/** What a screen sees of its connection. `silentMs` is null until something was heard. */
export interface LiveState {
  connected: boolean
  age: Age
  silentMs: number | null
  /** Server time in ms UTC, moving every second; the page's own clock until the server was heard. */
  nowMs: number
  /** Server time of the last message. */
  heardAt: number | null
  welcome: Welcome | null
  refused: Refused | null
  /** Keyed by `view` + "/" + `of`. */
  views: Record<string, Documents>
}

export interface Live {
  readonly state: LiveState
  send(message: FromScreen): boolean
  /** Documents of a view, {} before the first snapshot. */
  documents<T>(view: string, of?: string): Partial<T>
  /** Closes or opens the line: a phone page listens only while it is seen (UX P-05). */
  pause(): void
  resume(): void
  close(): void
}

const TICK_MS = 1000
const SILENCE_BREAKS_MS = 5000
const ALIVE_EVERY_MS = 20_000

export function liveUrl(): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/v1/live`
}

export function connectLive(options: LiveOptions): Live {
  const now = options.now ?? (() => performance.now())
  const open = options.open ?? ((url: string) => new WebSocket(url))
  const reload = options.reload ?? (() => location.reload())
  const maps: Record<string, ViewMap> = {}
  const state = reactive<LiveState>({
    connected: false, age: 'reconnecting', silentMs: null, nowMs: Date.now(), heardAt: null, welcome: null, refused: null, views: {},
  })
  let socket: WebSocket | null = null
  let attempt = 0
  let retry: ReturnType<typeof setTimeout> | null = null
  let heard: number | null = null
  let opened = 0
  let offset = 0
  let paused = false
  let build = ''
  let newBuild = false
  let highestEpoch = 0
  let sound = ''

  function key(want: Want): string {
    return `${want.view}/${want.of}`
  }

  function send(message: FromScreen): boolean {
    if (socket === null || socket.readyState !== 1) return false
    socket.send(JSON.stringify(message))
    return true
  }

  function hear(at: number | null): void {
    heard = now()
    if (at !== null) offset = at - heard
    state.heardAt = heard + offset
    refresh()
  }

  function refresh(): void {
    state.nowMs = heard === null ? Date.now() : now() + offset
    state.silentMs = heard === null ? null : now() - heard
    state.age = ageOf(state.silentMs)
  }

  function learnBuild(seen: string): void {
    if (build === '') build = seen
    else if (seen !== build) newBuild = true
  }

  function apply(message: Snapshot | Change): void {
    const want = { view: message.view, of: message.of }
    const map = maps[key(want)] ?? (maps[key(want)] = new ViewMap())
    if (message.version.epoch < highestEpoch) return
    highestEpoch = message.version.epoch
    const documents = message.documents as Documents
    const moved = message.type === 'snapshot' ? map.snapshot(message.version, documents) : map.change(message.version, documents)
    if (!moved) return
    state.views[key(want)] = { ...map.documents }
    const hall = map.documents.hall as HallDocument | undefined
    if (hall) allowMotion(hall.animations)
    options.onChange?.(want, map.documents)
  }

  function welcomed(message: Welcome): void {
    attempt = 0
    state.welcome = message
    state.refused = null
    state.connected = true
    learnBuild(message.build)
    options.onWelcome?.(message)
    for (const want of options.wants(message)) send({ type: 'subscribe', ...want } as Subscribe)
  }

  function beat(message: Heartbeat): void {
    if (message.epoch < highestEpoch) return
    highestEpoch = message.epoch
    learnBuild(message.build)
  }

  function receive(text: string): void {
    let message: ToScreen
    try {
      message = JSON.parse(text) as ToScreen
    } catch {
      return
    }
    hear('at' in message ? message.at : null)
    switch (message.type) {
      case 'welcome': return welcomed(message)
      case 'snapshot': case 'change': return apply(message)
      case 'heartbeat': return beat(message)
      case 'play': case 'reading': case 'pattern': case 'errand':
        if (message.epoch < highestEpoch) return
        switch (message.type) {
          case 'play': return options.onPlay?.(message)
          case 'reading': return options.onReading?.(message)
          case 'pattern': return options.onPattern?.(message)
          case 'errand': return options.onErrand?.(message)
        }
      case 'refused':
        state.refused = message
        return options.onRefused?.(message)
    }
  }

  function connect(): void {
    retry = null
    const line = open(options.url ?? liveUrl())
    socket = line
    opened = now()
    line.onopen = () => {
      line.send(JSON.stringify({ type: 'hello', token: options.token, build }))
    }
    line.onmessage = (event) => {
      if (line === socket) receive(String(event.data))
    }
    line.onclose = () => {
      if (line === socket) lost()
    }
  }

  function lost(): void {
    if (socket !== null) {
      socket.onclose = null
      socket.close()
    }
    socket = null
    state.connected = false
    if (paused || retry !== null) return
    retry = setTimeout(connect, reconnectDelayMs(attempt, Math.random()))
    attempt += 1
  }

  /** A line that says nothing is as good as cut: a cable pulled out sends no close. */
  function tick(): void {
    refresh()
    if (socket !== null && now() - Math.max(heard ?? 0, opened) > SILENCE_BREAKS_MS) lost()
    if (newBuild && !paused && (options.idle?.() ?? true)) {
      newBuild = false
      reload()
    }
  }

  const ticking = setInterval(tick, TICK_MS)
  const breathing = setInterval(() => send({ type: 'alive', sound }), ALIVE_EVERY_MS)

  connect()
  return {
    state: readonly(state) as LiveState,
    send(message) {
      if (message.type === 'alive') sound = message.sound ?? ''
      return send(message)
    },
    documents<T>(view: string, of = '') {
      return (state.views[`${view}/${of}`] ?? {}) as Partial<T>
    },
    pause() {
      paused = true
      if (retry !== null) clearTimeout(retry)
      retry = null
      lost()
    },
    resume() {
      if (!paused) return
      paused = false
      attempt = 0
      if (socket === null) connect()
    },
    close() {
      paused = true
      clearInterval(ticking)
      clearInterval(breathing)
      if (retry !== null) clearTimeout(retry)
      lost()
    },
  }
}
