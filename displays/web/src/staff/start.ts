/** Starts a staff page; in development `?fixture=` puts recorded documents in the server's place. */
import type { Component } from 'vue'
import { addMessages } from '../core/i18n'
import { keptLocale } from '../core/language'
import { start } from '../core/start'
import en from './en.json'
import zh from './zh-CN.json'

addMessages(zh, en)

export function startStaff(root: Component): void {
  const fixture = new URLSearchParams(location.search).get('fixture')
  if (import.meta.env.DEV && fixture !== null) {
    void import('../fixtures/staff').then((staff) => {
      staff.install(fixture)
      start(root, keptLocale())
    })
  } else start(root, keptLocale())
}
