/** Puts the device page over a page and takes it away again (UX D-15); fetched when it is first wanted. */
import { createApp, h } from 'vue'
import { addMessages } from '../core/i18n'
import DevicePage from './DevicePage.vue'
import en from './en.json'
import zh from './zh-CN.json'
import './device.css'

addMessages(zh, en)

/** What only the page knows of itself; '' is not told. */
export interface DeviceFacts {
  name: string
  address: string
  build: string
  shows: string
  sound: string
}

let end: (() => void) | null = null

/** Shows it for so long, instead of one that stands; asked for the facts whenever what they are made of changes. */
export function showDevice(facts: () => DeviceFacts, forMs: number): void {
  hideDevice()
  const host = document.createElement('div')
  document.body.appendChild(host)
  const app = createApp(() => h(DevicePage, { facts: facts() }))
  app.mount(host)
  const timer = setTimeout(hideDevice, forMs)
  end = () => {
    clearTimeout(timer)
    app.unmount()
    host.remove()
  }
}

/** Whether one stood. */
export function hideDevice(): boolean {
  const stood = end
  end = null
  stood?.()
  return stood !== null
}
