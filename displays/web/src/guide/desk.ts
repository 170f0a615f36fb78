/** Small decisions of the guide's page: what is locked, what is missing, which time a lost slip falls into. Pure. */
import type { AlarmDocument, DeviceDocument, TicketState } from '../core/wire'
import type { StateName } from '../components/state'

/** UX G-06. */
export const LOCK_MS = 180_000
/** UX G-05: what was loaded may be read for this long without the server. */
export const READ_MS = 300_000

export function locked(touchedAt: number, nowMs: number): boolean {
  return nowMs - touchedAt >= LOCK_MS
}

/** "居民身份证(原件)×1" as its name and what of it. */
export function material(text: string): { name: string; form: string } {
  const parts = /^(.*?)\(([^()]*)\)(×\d+)?$/.exec(text)
  if (parts === null) return { name: text, form: '' }
  return { name: parts[1], form: parts[2] + (parts[3] === '×1' || parts[3] === undefined ? '' : parts[3]) }
}

export function stateName(state: TicketState): StateName {
  return state === 'void' ? 'cancelled' : state
}

export type Span = 'quarter' | 'hour' | 'day'
const SPAN_MS: Record<Span, number> = { quarter: 900_000, hour: 3_600_000, day: 86_400_000 }

/** From and to in ms UTC for "the last quarter of an hour", or around a time HH:MM of today, half an hour each way. */
export function spanOf(span: Span, around: string, nowMs: number, dayStartMs: number): { from: number; to: number } {
  const at = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(around)
  if (at !== null) {
    const middle = dayStartMs + (Number(at[1]) * 60 + Number(at[2])) * 60_000
    return { from: middle - 1_800_000, to: middle + 1_800_000 }
  }
  return { from: Math.max(dayStartMs, nowMs - SPAN_MS[span]), to: nowMs }
}

/** Help first, then failed prints, then the rest; within each, alerts before warnings and the longest first. */
export function sortAlarms(alarms: AlarmDocument[]): AlarmDocument[] {
  const rank = (alarm: AlarmDocument) => (alarm.acknowledged_by !== '' ? 8 : 0) + (alarm.code === 'help' ? 0 : alarm.code === 'print' ? 2 : 4) + (alarm.level === 'alert' ? 0 : 1)
  return alarms.slice().sort((a, b) => rank(a) - rank(b) || a.since - b.since)
}

export function printersOf(devices: DeviceDocument[]): DeviceDocument[] {
  return devices.filter((device) => device.kind === 'printer')
}

export function prints(device: DeviceDocument): boolean {
  return device.state !== 'offline' && (device.printer === null || device.printer === 'ok' || device.printer === 'near_end' || device.printer === 'unreadable')
}

/** "3:07" since a moment. */
export function clockSince(sinceMs: number, nowMs: number): string {
  const seconds = Math.max(0, Math.floor((nowMs - sinceMs) / 1000))
  const rest = seconds % 60
  return `${Math.floor(seconds / 60)}:${rest < 10 ? '0' : ''}${rest}`
}
