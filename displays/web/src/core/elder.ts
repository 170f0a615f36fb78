/** 长辈版 (UX P-07): everything on a phone page a third larger, kept on this phone. */
import { ref } from 'vue'

const KEY = 'yichuang.elder'

export const elder = ref(false)

export function setElder(on: boolean): void {
  elder.value = on
  document.documentElement.classList.toggle('elder', on)
  try {
    localStorage.setItem(KEY, on ? '1' : '')
  } catch {
    // Storage is off: the choice lives as long as this page.
  }
}

export function recallElder(): void {
  let kept: string | null = null
  try {
    kept = localStorage.getItem(KEY)
  } catch {
    // Storage is off: the page starts at its normal size.
  }
  if (kept === '1' || new URLSearchParams(location.search).has('elder')) setElder(true)
}
