/** Every state a screen names: its role (colour), icon and word, always all three (UX X-02). */
import type { IconName } from './icons'

export interface StateLook {
  role: 'call' | 'serve' | 'done' | 'hold' | 'warn' | 'alert'
  icon: IconName
}

export const STATES = {
  call: { role: 'call', icon: 'bell' },
  come: { role: 'call', icon: 'bell' },
  called: { role: 'call', icon: 'bell' },
  serving: { role: 'serve', icon: 'work' },
  waiting: { role: 'serve', icon: 'clock' },
  near: { role: 'serve', icon: 'clock' },
  done: { role: 'done', icon: 'check' },
  online: { role: 'done', icon: 'check' },
  paused: { role: 'hold', icon: 'pause' },
  passed: { role: 'hold', icon: 'skip' },
  parked: { role: 'hold', icon: 'park' },
  idle: { role: 'hold', icon: 'win' },
  closed: { role: 'hold', icon: 'off' },
  cancelled: { role: 'hold', icon: 'x' },
  uncalled: { role: 'hold', icon: 'clock' },
  wait: { role: 'hold', icon: 'clock' },
  off_duty: { role: 'hold', icon: 'off' },
  near_limit: { role: 'warn', icon: 'warn' },
  slow: { role: 'warn', icon: 'warn' },
  paper_out: { role: 'warn', icon: 'nopaper' },
  over: { role: 'alert', icon: 'alert' },
  too_long: { role: 'alert', icon: 'alert' },
  empty: { role: 'alert', icon: 'alert' },
  offline: { role: 'alert', icon: 'unlink' },
  broken: { role: 'alert', icon: 'unlink' },
} as const satisfies Record<string, StateLook>

export type StateName = keyof typeof STATES
