/** Figures as people read them, in the language of the page. */
import { t } from '../core/i18n'

/** Whole minutes, half a minute up; an unknown time is a dash. */
export function minutesOf(seconds: number | null | undefined): string {
  return seconds === null || seconds === undefined ? '–' : t('staff.minutes', { n: Math.round(seconds / 60) })
}

/** Minutes short enough for a table. */
export function shortMinutes(seconds: number | null | undefined): string {
  return seconds === null || seconds === undefined ? '–' : t('staff.min', { n: Math.round(seconds / 60) })
}

/** The number or name in an actor of the journal ("staff:2001"). */
export function byWhom(actor: string): string {
  return actor.slice(actor.indexOf(':') + 1)
}

/** "3 分" or "18 秒" since a moment. */
export function sinceOf(atMs: number, nowMs: number): string {
  const seconds = Math.max(0, Math.round((nowMs - atMs) / 1000))
  return seconds < 60 ? t('staff.sec', { n: seconds }) : t('staff.min', { n: Math.floor(seconds / 60) })
}
