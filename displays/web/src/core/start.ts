/** Mounts a screen: the same few steps for every entry. */
import { createApp, type Component } from 'vue'
import { chooseLocale, type Locale } from './i18n'

/** UX K hardening: no context menu, no selection by drag, no pinch; only public screens ask for it. */
export function lockDown(): void {
  for (const name of ['contextmenu', 'dragstart', 'selectstart', 'gesturestart']) {
    document.addEventListener(name, (event) => event.preventDefault())
  }
}

export function start(root: Component, suggested: Locale = 'zh-CN'): void {
  chooseLocale(suggested)
  createApp(root).mount('#app')
}
