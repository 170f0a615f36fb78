/** The hall's devices counted by kind, worst first. Pure. */
import type { DeviceDocument, DeviceState, WindowDocument } from '../core/wire'

/** The kinds that a word exists for; another kind counts as "other". */
export const KINDS = ['keypad', 'rating_pad', 'strip', 'board', 'printer', 'speaker', 'id_reader', 'scanner', 'kiosk', 'hall', 'window', 'led', 'zone'] as const

/** The counters that a word exists for; another one shows its own name. */
export const COUNTERS = ['offline_today', 'frames', 'presses', 'invitations', 'printed', 'spoken', 'failed', 'unknown', 'unprintable', 'broken', 'ignored', 'babble', 'unacknowledged', 'unanswered', 'dropped', 'cards', 'codes', 'unread', 'flashes_dropped', 'line_sums', 'line_noise'] as const

export interface KindCount {
  kind: string
  total: number
  bad: number
  offline: number
  silent: number
}

/** A device that can do its work now. */
export function usable(state: DeviceState): boolean {
  return state === 'online' || state === 'degraded'
}

/** These have no sign of life (HARDWARE 1.1): nothing was heard of one until somebody presses it, or opens its page, and that is no fault. */
export function silent(device: Pick<DeviceDocument, 'kind' | 'state'>): boolean {
  return device.state === 'unknown' && (pressed(device.kind) || ['zone', 'hall', 'window', 'led'].indexOf(device.kind) >= 0)
}

/** When something last went out to it, where that says more than its last sign of life: to a strip or board, and to what was never heard (UX W-08). */
export function sentAt(device: Pick<DeviceDocument, 'kind' | 'last_seen' | 'last_sent'>): number | null {
  return device.last_seen === null || ['strip', 'board'].indexOf(device.kind) >= 0 ? device.last_sent : null
}

/** What stands still until somebody presses it, or lays something on it. */
export function pressed(kind: string): boolean {
  return ['rating_pad', 'keypad', 'scanner', 'id_reader'].indexOf(kind) >= 0
}

/** The server's own codes for a last error; what an agent says stands as it is, a library's or a driver's words. */
export function ownError(error: string): boolean {
  return ['page-lost', 'agent-lost', 'agent-silent'].indexOf(error) >= 0
}

/** How a window's citizen rates: by the device, by one that nobody has pressed yet, or by the QR code (RULES 38). */
export function ratesBy(window: Pick<WindowDocument, 'rating_qr' | 'rating_device'>): 'device' | 'silent' | 'qr' {
  if (window.rating_qr) return 'qr'
  return usable(window.rating_device) ? 'device' : 'silent'
}

/** When the window's rating device was last heard, null when it was not since the server's start: of a silent one, since when nothing proves it. */
export function heardAt(devices: Pick<DeviceDocument, 'kind' | 'window' | 'last_seen'>[], window: string): number | null {
  const heard = devices.filter((device) => device.kind === 'rating_pad' && device.window === window && device.last_seen !== null).map((device) => device.last_seen!)
  return heard.length > 0 ? Math.max(...heard) : null
}

/** "97.3"% of the time it had to be usable, cut and never rounded up to 100 while a second is missing; null when it never had to be. */
export function shareOf(openMs: number, usableMs: number): string | null {
  return openMs > 0 ? (Math.floor((1000 * usableMs) / openMs) / 10).toFixed(1) : null
}

/** What of a device was counted, the losses of the day first; what never happened says nothing. */
export function counted(device: Pick<DeviceDocument, 'counters'>): { name: string; known: boolean; n: number }[] {
  const order = (name: string) => { const at = (COUNTERS as readonly string[]).indexOf(name); return at < 0 ? COUNTERS.length : at }
  return Object.keys(device.counters).filter((name) => device.counters[name] > 0).sort((a, b) => order(a) - order(b) || (a < b ? -1 : 1))
    .map((name) => ({ name, known: order(name) < COUNTERS.length, n: device.counters[name] }))
}

/** A printer that answers but cannot print is no use either. */
export function faulty(device: Pick<DeviceDocument, 'kind' | 'state' | 'printer'>): boolean {
  return (!usable(device.state) && !silent(device)) || (device.printer !== null && device.printer !== 'ok' && device.printer !== 'near_end')
}

export function kindOf(device: Pick<DeviceDocument, 'kind'>): string {
  return (KINDS as readonly string[]).includes(device.kind) ? device.kind : 'other'
}

export function kindsOf(devices: DeviceDocument[]): KindCount[] {
  const counts: Record<string, KindCount> = {}
  for (const device of devices) {
    const kind = kindOf(device)
    const count = counts[kind] ?? (counts[kind] = { kind, total: 0, bad: 0, offline: 0, silent: 0 })
    count.total += 1
    if (faulty(device)) count.bad += 1
    if (silent(device)) count.silent += 1
    else if (!usable(device.state)) count.offline += 1
  }
  return Object.keys(counts).map((kind) => counts[kind]).sort((a, b) => b.bad - a.bad || b.total - a.total)
}
