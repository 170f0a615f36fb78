/**
 * Words of the screens: one reactive language and `t()` over JSON catalogues. The same few lines serve every screen,
 * because components are shared between pages that may not weigh more than 45 KB.
 */
import { ref, type Ref } from 'vue'
import type { Words } from '../wire'
import zhCore from './zh-CN.json'
import enCore from './en.json'

export type Locale = 'zh-CN' | 'en'
export type Catalogue = { [key: string]: string | Catalogue }
export type Values = Record<string, string | number>

const catalogues: Record<Locale, Record<string, string>> = { 'zh-CN': {}, en: {} }

export const locale: Ref<Locale> = ref('zh-CN')

function flatten(prefix: string, from: Catalogue, into: Record<string, string>): void {
  for (const key of Object.keys(from)) {
    const value = from[key]
    if (typeof value === 'string') into[prefix + key] = value
    else flatten(`${prefix}${key}.`, value, into)
  }
}

/** Adds a screen's own catalogues; both languages at once, so neither is forgotten. */
export function addMessages(zh: Catalogue, en: Catalogue): void {
  flatten('', zh, catalogues['zh-CN'])
  flatten('', en, catalogues.en)
}

addMessages(zhCore, enCore)

/** "one | other" is chosen by `values.n`; a text without a bar serves every number. */
function form(text: string, values: Values | undefined): string {
  const forms = text.split(' | ')
  return forms.length === 2 && values !== undefined && values.n !== 1 ? forms[1] : forms[0]
}

/** The text of a key in the current language; Chinese when the other has none. Values fill `{name}`. */
export function t(key: string, values?: Values): string {
  return textIn(locale.value, key, values)
}

/** The text of a key in both languages, for what outlives a change of language. */
export function both(key: string): Words {
  return { zh: textIn('zh-CN', key), en: textIn('en', key) }
}

function textIn(language: Locale, key: string, values?: Values): string {
  const text = catalogues[language][key] ?? catalogues['zh-CN'][key]
  if (text === undefined) throw new Error(`no text for ${key}`)
  return form(text, values).replace(/\{(\w+)\}/g, (whole, name: string) => (values && name in values ? String(values[name]) : whole))
}

/** A text that the server sent in both languages. */
export function words(text: Words | null | undefined): string {
  if (!text) return ''
  return locale.value === 'en' ? text.en || text.zh : text.zh
}

export function setLocale(next: Locale): void {
  locale.value = next
  document.documentElement.lang = next
}

/** `?lang=` first, then what the page suggests. */
export function chooseLocale(suggested: Locale = 'zh-CN'): void {
  const asked = new URLSearchParams(location.search).get('lang')
  setLocale(asked === 'en' ? 'en' : asked === 'zh' || asked === 'zh-CN' ? 'zh-CN' : suggested)
}
