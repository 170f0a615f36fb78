/** What a citizen's phone page needs: the token in its address, its suggested language, and a request in its name. */
import { hallPath, request, type Request } from './api'
import { hallId } from './hall'
import type { Locale } from './i18n'

/** The last part of the path: `/t/{token}` and `/rate/{token}` (UX P-01). */
export function pageToken(): string {
  const parts = location.pathname.split('/').filter((part) => part !== '')
  const last = parts[parts.length - 1] ?? ''
  return last.endsWith('.html') ? (new URLSearchParams(location.search).get('token') ?? 'recorded') : decodeURIComponent(last)
}

/** The service that a service token names ("s", the id, ".", its mac); "" for a ticket's token. */
export function serviceOf(token: string): string {
  return token.startsWith('s') ? token.slice(1).split('.')[0] : ''
}

/** Chinese unless the phone speaks no Chinese at all. */
export function phoneLocale(): Locale {
  const spoken = navigator.languages.length > 0 ? navigator.languages : [navigator.language]
  return spoken.some((language) => language.toLowerCase().startsWith('zh')) ? 'zh-CN' : 'en'
}

/** A request about this ticket. */
export function ask<T>(parts: string[], options: Request = {}): Promise<T> {
  return request<T>(hallPath(hallId(), ...parts), { token: pageToken(), ...options })
}
