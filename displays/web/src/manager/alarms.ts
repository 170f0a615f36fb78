/** What an exception is about and what a manager may do about it (UX M-01). Pure. */
import type { StateName } from '../components/state'
import type { AlarmDocument, DeviceDocument, QueueDocument, WindowDocument, Words } from '../core/wire'

/** The one action offered beside "seen". */
export type Remedy = { kind: 'window'; window: string } | { kind: 'windows'; windows: string[] } | { kind: 'device'; device: string } | { kind: 'ticket'; ticket: string } | null

const STATES: Record<string, StateName> = {
  'average-wait': 'too_long', 'single-wait': 'too_long', 'queue-long': 'near_limit', 'queue-stranded': 'empty', 'pause-long': 'paused', 'service-long': 'slow',
  'window-idle': 'empty', 'no-grievance-window': 'empty', 'no-bundle-window': 'empty', 'device-offline': 'offline', 'park-expired': 'parked', 'help-asked': 'near_limit', 'window-help': 'over',
  'printer-out': 'paper_out', 'printer-near_end': 'paper_out', 'printer-jam': 'paper_out', 'printer-cover': 'paper_out', 'printer-offline': 'offline', 'printer-unreadable': 'paper_out',
}

/** The icon and word's state; the level decides when the code is new to this page. */
export function stateOf(alarm: Pick<AlarmDocument, 'code' | 'level'>): StateName {
  return STATES[alarm.code] ?? (alarm.level === 'alert' ? 'over' : 'near_limit')
}

/** Windows of a queue: its id lists them, `~` marks those away from home. */
export function windowsOfQueue(queue: string, windows: Pick<WindowDocument, 'id'>[]): string[] {
  const named = queue.split(',').map((name) => name.replace(/~$/, ''))
  const found = windows.filter((window) => named.includes(window.id)).map((window) => window.id)
  return found.length > 0 ? found : windows.map((window) => window.id)
}

/** The action by what the exception is about; "" as subject means the whole hall. */
export function remedyOf(alarm: Pick<AlarmDocument, 'code' | 'subject'>, windows: Pick<WindowDocument, 'id' | 'kind'>[]): Remedy {
  switch (alarm.code) {
    case 'pause-long': case 'service-long': case 'window-idle': case 'window-help':
      return { kind: 'window', window: alarm.subject }
    case 'single-wait': case 'queue-long': case 'queue-stranded':
      return { kind: 'windows', windows: windowsOfQueue(alarm.subject, windows) }
    case 'average-wait': case 'no-grievance-window': case 'no-bundle-window':
      return { kind: 'windows', windows: windows.map((window) => window.id) }
    case 'park-expired': case 'help-asked':
      return { kind: 'ticket', ticket: alarm.subject }
    default:
      return alarm.code.startsWith('printer-') || alarm.code.startsWith('device-') ? { kind: 'device', device: alarm.subject } : null
  }
}

export interface Known {
  windows: WindowDocument[]
  queues: QueueDocument[]
  devices: DeviceDocument[]
}

/** Name of an alarm's subject as words; null for the whole hall or a ticket. */
export function subjectOf(alarm: Pick<AlarmDocument, 'subject'>, known: Known): { plate: string; name: Words } | null {
  const window = known.windows.find((entry) => entry.id === alarm.subject)
  if (window !== undefined) return { plate: window.plate, name: window.name }
  const queue = known.queues.find((entry) => entry.id === alarm.subject)
  if (queue !== undefined) return { plate: '', name: queue.name }
  const device = known.devices.find((entry) => entry.id === alarm.subject)
  return device === undefined ? null : { plate: '', name: { zh: device.name || device.id, en: device.name || device.id } }
}

/** Alerts before warnings, what nobody has seen before what somebody has, then the oldest first. */
export function ordered(alarms: AlarmDocument[]): AlarmDocument[] {
  const weight = (alarm: AlarmDocument) => (alarm.acknowledged_by === '' ? 0 : 2) + (alarm.level === 'alert' ? 0 : 1)
  return [...alarms].sort((a, b) => weight(a) - weight(b) || a.since - b.since)
}
