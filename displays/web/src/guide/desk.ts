/** Small decisions of the guide's page: what is locked, what is missing, which time a lost slip falls into. Pure. */
import type { AlarmDocument, DeviceDocument, MatterHit, TicketState } from '../core/wire'
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

/**
 * What stands under a matter's name, all of it Chinese: what people say of it; under an English name its own, to show to
 * somebody and to find on the paper, after the phrase that holds what was typed.
 */
export function underName(hit: Pick<MatterHit, 'name' | 'name_en' | 'everyday'>, q: string, english: boolean): string[] {
  if (!english || hit.name_en === '') return hit.everyday.slice(0, 3)
  const typed = q.trim()
  return [...hit.everyday.filter((phrase) => typed !== '' && phrase.includes(typed)).slice(0, 1), hit.name]
}

export function stateName(state: TicketState): StateName {
  return state === 'void' ? 'cancelled' : state
}

export type Span = 'quarter' | 'hour' | 'day'
const SPAN_MIN: Record<Span, number> = { quarter: 15, hour: 60, day: 1440 }

/** Minutes of a day as HH:MM, never before or after the day. */
function clockOf(minutes: number): string {
  const held = Math.max(0, Math.min(1439, minutes))
  const two = (value: number) => (value < 10 ? `0${value}` : String(value))
  return `${two(Math.floor(held / 60))}:${two(held % 60)}`
}

/** From and to as HH:MM of today: half an hour each way around a time that is remembered, else back from now. */
export function spanOf(span: Span, around: string, nowClock: string): { from: string; to: string } {
  const at = /^([01]?\d|2[0-3])[:：]([0-5]\d)$/.exec(around)
  const [hours, minutes] = nowClock.split(':').map(Number)
  const now = hours * 60 + minutes
  if (at === null) return { from: clockOf(now - SPAN_MIN[span]), to: clockOf(now) }
  const middle = Number(at[1]) * 60 + Number(at[2])
  return { from: clockOf(middle - 30), to: clockOf(middle + 30) }
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

/** How long since a moment, in the unit that people say: seconds below a minute. */
export function ageOf(sinceMs: number, nowMs: number): { unit: 'minutes' | 'seconds'; n: number } {
  const seconds = Math.max(0, Math.floor((nowMs - sinceMs) / 1000))
  return seconds < 60 ? { unit: 'seconds', n: seconds } : { unit: 'minutes', n: Math.floor(seconds / 60) }
}
