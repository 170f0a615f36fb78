/** What an exception is about and what a manager may do about it (UX M-01). Pure. */
import type { StateName } from '../components/state'
import type { AlarmDocument, DeviceDocument, QueueDocument, WindowDocument, Words } from '../core/wire'

/** The one action offered beside "seen". */
export type Remedy = { kind: 'window'; window: string } | { kind: 'windows'; windows: string[] } | { kind: 'device'; device: string } | { kind: 'ticket'; ticket: string } | { kind: 'reprint' | 'slip'; ticket: string } | { kind: 'slips' } | null

const STATES: Record<string, StateName> = {
  'average-wait': 'too_long', 'single-wait': 'too_long', 'queue-long': 'near_limit', 'queue-stranded': 'empty', 'pause-long': 'paused', 'service-long': 'slow',
  'window-idle': 'empty', 'no-grievance-window': 'empty', 'no-bundle-window': 'empty', 'device-offline': 'offline', 'park-expired': 'parked', 'help': 'near_limit', 'window-help': 'over',
  'printer-out': 'paper_out', 'printer-near_end': 'paper_out', 'printer-jam': 'paper_out', 'printer-cover': 'paper_out', 'printer-offline': 'offline', 'printer-unreadable': 'paper_out',
  'print': 'paper_out', 'voice': 'near_limit', 'muted': 'paused', 'clock': 'near_limit', 'bad-rating': 'over',
}

/** Codes whose icon stands for more than one thing: the page has a word of their own for them. */
const WORDED = ['queue-stranded', 'help', 'no-grievance-window', 'no-bundle-window', 'queue-long', 'printer-jam', 'printer-cover', 'printer-near_end', 'printer-unreadable', 'park-expired', 'print', 'voice', 'muted', 'clock', 'bad-rating']

/** The word beside the icon as a key of `mgr.alarm`; null where the state's own word says it. */
export function wordOf(code: string): string | null {
  if (WORDED.includes(code)) return code
  return code in STATES ? null : 'other'
}

/** The icon and word's state; the level decides when the code is new to this page. */
export function stateOf(alarm: Pick<AlarmDocument, 'code' | 'level'>): StateName {
  return STATES[alarm.code] ?? (alarm.level === 'alert' ? 'over' : 'near_limit')
}

export type About = 'window' | 'queue' | 'device' | 'ticket' | 'hall'

/** What kind of thing an alarm's subject is: a queue of one window bears that window's name, so the code decides. */
export function aboutOf(code: string): About {
  if (['pause-long', 'service-long', 'window-idle', 'window-help', 'bad-rating'].includes(code)) return 'window'
  if (['single-wait', 'queue-long', 'queue-stranded'].includes(code)) return 'queue'
  if (['park-expired', 'help', 'print'].includes(code)) return 'ticket'
  return code.startsWith('printer-') || code.startsWith('device-') ? 'device' : 'hall'
}

/** Windows of a queue: its id lists them, `~` marks those away from home. */
export function windowsOfQueue(queue: string, windows: Pick<WindowDocument, 'id'>[]): string[] {
  const named = queue.split(',').map((name) => name.replace(/~$/, ''))
  const found = windows.filter((window) => named.includes(window.id)).map((window) => window.id)
  return found.length > 0 ? found : windows.map((window) => window.id)
}

/** The action by what the exception is about; "" as subject means the whole hall. Once no more tickets are given, nobody's window is opened for them: they get a slip. */
export function remedyOf(alarm: Pick<AlarmDocument, 'code' | 'subject' | 'action'>, windows: Pick<WindowDocument, 'id'>[], closing = false): Remedy {
  if (alarm.action === 'reprint' || alarm.action === 'slip') return { kind: alarm.action, ticket: alarm.subject }
  if (closing && alarm.code === 'queue-stranded') return { kind: 'slips' }
  switch (aboutOf(alarm.code)) {
    case 'window': return { kind: 'window', window: alarm.subject }
    case 'queue': return { kind: 'windows', windows: windowsOfQueue(alarm.subject, windows) }
    case 'ticket': return { kind: 'ticket', ticket: alarm.subject }
    case 'device': return { kind: 'device', device: alarm.subject }
    case 'hall': return ['average-wait', 'no-grievance-window', 'no-bundle-window'].includes(alarm.code) ? { kind: 'windows', windows: windows.map((window) => window.id) } : null
  }
}

export interface Known {
  windows: WindowDocument[]
  queues: QueueDocument[]
  devices: DeviceDocument[]
}

/** Name of an alarm's subject as words; null for the whole hall or a ticket. */
export function subjectOf(alarm: Pick<AlarmDocument, 'code' | 'subject'>, known: Known): { plate: string; name: Words } | null {
  const named = <T extends { id: string }>(list: T[]) => list.find((entry) => entry.id === alarm.subject)
  switch (aboutOf(alarm.code)) {
    case 'window': {
      const window = named(known.windows)
      return window === undefined ? null : { plate: window.plate, name: window.name }
    }
    case 'queue': {
      const queue = named(known.queues)
      return queue === undefined ? null : { plate: '', name: queue.name }
    }
    case 'device': {
      const device = named(known.devices)
      return device === undefined ? null : { plate: '', name: device.name }
    }
    default: return null
  }
}

/** Alerts before warnings, what nobody has seen before what somebody has, then the oldest first. */
export function ordered(alarms: AlarmDocument[]): AlarmDocument[] {
  const weight = (alarm: AlarmDocument) => (alarm.acknowledged_by === '' ? 0 : 2) + (alarm.level === 'alert' ? 0 : 1)
  return [...alarms].sort((a, b) => weight(a) - weight(b) || a.since - b.since)
}
