/** The language that somebody chose on this page, kept for the session of its tab: a reload does not change it back. */
import { locale, setLocale, type Locale } from './i18n'

const KEY = 'yichuang.language'

/** What was chosen in this tab before, else Chinese. */
export function keptLocale(): Locale {
  try {
    return sessionStorage.getItem(KEY) === 'en' ? 'en' : 'zh-CN'
  } catch {
    return 'zh-CN' // storage is off
  }
}

/** To the other language, until the tab is closed. */
export function turnLocale(): void {
  setLocale(locale.value === 'en' ? 'zh-CN' : 'en')
  try {
    sessionStorage.setItem(KEY, locale.value)
  } catch {
    // Storage is off: the choice lives as long as this page.
  }
}
