/** A failed request as one sentence that says what to do next. */
import { ApiProblem } from './api'
import { locale, t } from './i18n'

export function sentenceOf(error: unknown): string {
  if (!(error instanceof ApiProblem)) return t('problem.other')
  const said = error.sentence(locale.value)
  if (said !== '') return said
  switch (error.code) {
    case 'timeout': return t('problem.timeout')
    case 'unreachable': return t('problem.unreachable')
    case 'unreadable': return t('problem.unreadable')
    default: return t('problem.other')
  }
}
