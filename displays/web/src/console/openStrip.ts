/** The strip over the acceptance system: a window that stays on top where the browser can, else a small window (UX C-07, C-08). */
import { createApp, h } from 'vue'
import { recall, remember } from '../staff/store'
import DeskStrip from '../strip/DeskStrip.vue'
import '../strip/strip.css'
import type { Desk } from './useDesk'

interface PictureInPicture {
  requestWindow(options: { width: number; height: number }): Promise<Window>
}

export function openStrip(desk: Desk): void {
  const onTop = (window as Window & { documentPictureInPicture?: PictureInPicture }).documentPictureInPicture
  if (onTop === undefined) return popUp()
  onTop.requestWindow({ width: 480, height: 56 }).then((held) => fill(held, desk), popUp)
}

/** The position on this monitor is remembered by the strip itself. */
function popUp(): void {
  const [left, top] = (recall('strip.at') ?? '40,40').split(',')
  const opened = window.open('/strip', 'yichuang-strip', `popup,width=480,height=56,left=${left},top=${top}`)
  opened?.focus()
}

export function rememberPlace(): void {
  remember('strip.at', `${window.screenX},${window.screenY}`)
}

/** The same desk in the small window: one connection, one state; it closes with this page. */
function fill(held: Window, desk: Desk): void {
  const page = held.document
  page.documentElement.className = 'desk strip-page'
  page.documentElement.lang = document.documentElement.lang
  for (const sheet of Array.from(document.querySelectorAll('link[rel="stylesheet"], style'))) page.head.append(sheet.cloneNode(true))
  const root = page.createElement('div')
  page.body.append(root)
  const app = createApp({ render: () => h(DeskStrip, { at: desk, page: held }) })
  app.mount(root)
  held.addEventListener('pagehide', () => app.unmount())
}
