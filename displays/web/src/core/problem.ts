/** A failed request as one sentence that says what to do next. */
import { ApiProblem } from './api'
import { both, locale } from './i18n'
import type { Words } from './wire'

const OWN = ['timeout', 'unreachable', 'unreadable']

/** The server's sentence when it sent one, else the page's own, in both languages. */
export function problemWords(error: unknown): Words {
  if (!(error instanceof ApiProblem)) return both('problem.other')
  if (error.title !== '') return { zh: error.title, en: error.titleEn || error.title }
  return OWN.includes(error.code) ? both(`problem.${error.code}`) : both('problem.other')
}

export function sentenceOf(error: unknown): string {
  const said = problemWords(error)
  return locale.value === 'en' ? said.en : said.zh
}
