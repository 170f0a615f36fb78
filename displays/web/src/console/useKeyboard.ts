/** The keyboard of a desk: function keys always, the numeric keypad when this PC uses it as a caller box. */
import { onBeforeUnmount, onMounted, ref } from 'vue'
import { recall, remember } from '../staff/store'
import { wishOf } from './desk'
import { deedOf, padStep, readKeys, type Deed } from './keys'
import type { Desk } from './useDesk'

export const keys = ref(readKeys(recall('keys')))
/** Off by default: a digit typed without a field in focus must not call anybody (WCAG 2.1.4). */
export const pad = ref(recall('pad') === 'on')

export function setPad(on: boolean): void {
  pad.value = on
  remember('pad', on ? 'on' : 'off')
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

export function useKeyboard(desk: Desk, on: { help: () => void; card: () => void }, page: () => Window = () => window): void {
  function act(deed: Deed): void {
    if (deed === 'card') return on.card()
    if (deed === 'help') return on.help()
    const wish = wishOf(deed, desk.phase.value)
    if (wish !== null) desk.press(wish)
  }

  const asking = () => desk.state.dialog !== ''

  function stroke(event: KeyboardEvent): void {
    if (event.defaultPrevented) return
    const deed = deedOf(event, keys.value)
    if (deed !== null) {
      // The browser's own meaning (find, menu, caret) never mixes in, not even under an open dialog.
      event.preventDefault()
      if (!event.repeat && !asking()) act(deed)
      return
    }
    if (asking()) return
    if (event.key === 'Escape') return desk.close()
    if (!pad.value || typing(event.target)) return
    const step = padStep(event, desk.state.digits)
    if (step === null) return
    event.preventDefault()
    if (event.repeat) return
    if (step.kind === 'deed') return act(step.deed)
    desk.state.digits = step.digits
    if (step.kind !== 'call') return
    desk.press('call')
    if (!asking()) desk.state.digits = ''
  }

  onMounted(() => page().addEventListener('keydown', stroke))
  onBeforeUnmount(() => page().removeEventListener('keydown', stroke))
}
