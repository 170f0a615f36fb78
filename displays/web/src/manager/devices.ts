/** The hall's devices counted by kind, worst first. Pure. */
import type { DeviceDocument, DeviceState, WindowDocument } from '../core/wire'

/** The kinds that a word exists for; another kind counts as "other". */
export const KINDS = ['keypad', 'rating_pad', 'strip', 'summary_board', 'printer', 'hall', 'window', 'kiosk', 'agent', 'speaker'] as const

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

/** These have no sign of life (HARDWARE 1.1): nothing was heard of one until somebody presses it, and that is no fault. */
export function silent(device: Pick<DeviceDocument, 'kind' | 'state'>): boolean {
  return device.state === 'unknown' && (device.kind === 'rating_pad' || device.kind === 'keypad')
}

/** How a window's citizen rates: by the device, by one that nobody has pressed yet, or by the QR code (RULES 38). */
export function ratesBy(window: Pick<WindowDocument, 'id' | 'rating_device'>, devices: Pick<DeviceDocument, 'kind' | 'state' | 'window'>[]): 'device' | 'silent' | 'qr' {
  if (usable(window.rating_device)) return 'device'
  return window.rating_device === 'unknown' && devices.some((device) => device.kind === 'rating_pad' && device.window === window.id && silent(device)) ? 'silent' : 'qr'
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
