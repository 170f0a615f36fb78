/** Notes and reasons: codes in words, and what somebody wrote, which no document holds (it is asked for by reference). */
import { shallowReactive } from 'vue'
import { request } from '../core/api'
import { addMessages, t } from '../core/i18n'
import type { Said } from '../core/wire'
import en from './en.json'
import { path } from './session'
import zh from './zh-CN.json'

addMessages({ said: zh.said }, { said: en.said }) // here, for the guide's page has none of the desks' other texts

/** The reasons that desks offer and keypads give; `other` asks for words. */
export const CODES = ['returned', 'priority', 'follow-up', 'no-answer', 'left', 'wrong', 'copy', 'pay', 'form', 'keypad', 'other']

const SEALED = /^sealed:[0-9a-f]{16}$/
const KEPT_MAX = 500
const opened = shallowReactive(new Map<string, Said>())
const asked = new Set<string>()

async function open(reference: string): Promise<void> {
  asked.add(reference)
  try {
    const found = await request<Said>(path('said', reference))
    if (opened.size >= KEPT_MAX) opened.clear()
    opened.set(reference, found)
  } finally {
    asked.delete(reference)
  }
}

/** The words of a note or reason; '…' until they are there. Rows from before references hold the words themselves. */
export function noteWords(value: string): string {
  if (CODES.includes(value)) return t(`said.${value}`)
  if (!SEALED.test(value)) return value
  const found = opened.get(value)
  if (found !== undefined) return found.expired ? t('said.expired') : found.text
  if (!asked.has(value)) open(value).catch(() => undefined) // the page says by itself that the server is away
  return '…'
}
