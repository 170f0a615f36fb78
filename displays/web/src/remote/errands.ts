/** What the office asks of this page (UX D-15): fetched when it is first asked for something. */
import { words } from '../core/i18n'
import type { Errand, ErrandDone } from '../core/wire'
import { showDevice, type DeviceFacts } from './device'

export interface Asked {
  /** Whether nobody uses the page. */
  free: () => boolean
  /** Whether it says nothing now that a fresh start would cut off. */
  quiet: () => boolean
  facts: () => DeviceFacts
  /** Called once. */
  tell: (done: ErrandDone) => void
  /** Replaced in tests. */
  reload?: () => void
}

/** Long enough for somebody to walk along the displays of a hall. */
const IDENTIFY_MS = 10_000
/** So that the answer leaves before the page does. */
const LEAVES_MS = 200
/** As the server takes it (wire.live.LOOK_MAX). */
const LOOK_MAX = 16_000

export function carryOut(errand: Errand, asked: Asked): void {
  const tell = (outcome: string, more: Partial<ErrandDone> = {}) => asked.tell({ type: 'errand_done', id: errand.id, outcome, reason: '', text: '', width: 0, height: 0, ratio: 0, ...more })
  switch (errand.what) {
    case 'identify':
      if (!asked.free()) return tell('busy')
      showDevice(() => ({ ...asked.facts(), name: errand.name, shows: words(errand.place) }), IDENTIFY_MS)
      return tell('done')
    case 'reload':
      if (!asked.free() || !asked.quiet()) return tell('busy')
      tell('done')
      setTimeout(asked.reload ?? (() => location.reload()), LEAVES_MS)
      return
    case 'look':
      return tell('done', { text: document.body.innerText.slice(0, LOOK_MAX), width: innerWidth, height: innerHeight, ratio: devicePixelRatio })
    default:
      return tell('failed', { reason: `unknown: ${errand.what}`.slice(0, 200) })
  }
}
