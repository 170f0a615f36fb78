/** The page's end of a bench of emulated devices (devices/emulators/bench.py): what each shows, and what is done to it. */
import { reactive } from 'vue'
import type { Words } from '../core/wire'

export interface Dots { width: number; height: number; red: string; green: string; texts: string[]; level: number }
export interface Key { key: number; name?: string; level?: number }
export interface Paper { number: number; text: string; codes: string[]; length: number }
export type Value = string | number | boolean | null
export type Kind = 'keypad' | 'rating' | 'strip' | 'printer' | 'pad' | string

export interface Device {
  id: string
  station: string
  line: string
  name: Words
  kind: Kind
  state: Record<string, Value | Value[]>
  faults?: Record<string, Value>
  acts?: string[]
  keys?: Key[]
  dots?: Dots | null
  papers?: Paper[]
  current?: Omit<Paper, 'number'> | null
}
export interface Line { id: string; url: string; faults: Record<string, Value>; names: string[] }
export interface Spoken { text: Words; count: number; clip: boolean }
export interface Station { id: string; name: Words; note: Words | null }
export type Documents = Record<string, Device | Line | Spoken | Words>

export type Deed =
  | { do: 'press'; device: string; key: number; digits: string }
  | { do: 'rate'; device: string; level: number }
  | { do: 'act'; device: string; verb: string; words: string[] }
  | { do: 'fault'; line: string; device?: string; name: string; value: string }

/** `answered` is false when the host did not acknowledge a key, or when the deed cannot be done: then `reason` says why. */
export interface Outcome { ok: boolean; reason: string }

export interface Bench {
  title: Words
  stations: Station[]
  documents: Documents
  connected: boolean
  do(deed: Deed): Promise<Outcome>
  close(): void
}

type Said =
  | { type: 'welcome'; title: Words; stations: Station[] }
  | { type: 'change'; documents: Documents }
  | { type: 'outcome'; id: number; ok: boolean; reason: string }

const AGAIN_MS = 1000
const OUTCOME_MS = 10_000

/** Connects, and connects again for ever; `recorded` stands for a server in the pictures. */
export function openBench(recorded?: Pick<Bench, 'title' | 'stations' | 'documents'>): Bench {
  const waiting = new Map<number, (outcome: Outcome) => void>()
  let socket: WebSocket | null = null
  let closed = false
  let last = 0

  function hear(said: Said): void {
    if (said.type === 'welcome') {
      bench.title = said.title
      bench.stations = said.stations
      bench.documents = {}
    } else if (said.type === 'change') Object.assign(bench.documents, said.documents)
    else settle(said.id, said)
  }
  function settle(id: number, outcome: Outcome): void {
    waiting.get(id)?.(outcome)
    waiting.delete(id)
  }
  function connect(): void {
    if (closed) return
    socket = new WebSocket(`ws://${location.host}/bench`)
    socket.onopen = () => (bench.connected = true)
    socket.onmessage = (event) => hear(JSON.parse(String(event.data)) as Said)
    socket.onclose = () => {
      bench.connected = false
      for (const id of [...waiting.keys()]) settle(id, { ok: false, reason: '' })
      setTimeout(connect, AGAIN_MS)
    }
  }

  const bench = reactive<Bench>({
    title: { zh: '', en: '' }, stations: [], documents: {}, connected: false,
    do(deed) {
      if (socket === null || socket.readyState !== WebSocket.OPEN) return Promise.resolve({ ok: false, reason: '' })
      const id = ++last
      socket.send(JSON.stringify({ ...deed, id }))
      return new Promise((resolve) => {
        waiting.set(id, resolve)
        setTimeout(() => settle(id, { ok: false, reason: '' }), OUTCOME_MS)
      })
    },
    close() {
      closed = true
      socket?.close()
    },
  })
  if (recorded === undefined) connect()
  else Object.assign(bench, recorded, { connected: true })
  return bench
}
