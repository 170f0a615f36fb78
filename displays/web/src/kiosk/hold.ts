/** A press that counts only after five seconds: the way to the staff's menu (UX K-16). */
import { onBeforeUnmount } from 'vue'

export const HOLD_MS = 5000

export function useHold(reached: () => void): { start: () => void; stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | null = null
  function stop(): void {
    if (timer !== null) clearTimeout(timer)
    timer = null
  }
  function start(): void {
    stop()
    timer = setTimeout(reached, HOLD_MS)
  }
  onBeforeUnmount(stop)
  return { start, stop }
}
