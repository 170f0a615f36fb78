/** A page of matters: asked again whenever the question changes; only the newest answer counts. */
import { ref, watch, type Ref } from 'vue'
import type { MatterHits } from '../core/wire'
import type { Kiosk } from './kiosk'

export interface Query {
  q?: string
  domain?: string
  /** Asked again when the language changes: English words are found, not initials. */
  english?: boolean
  limit: number
  offset: number
}

export function useHits(kiosk: Kiosk, query: () => Query): { hits: Ref<MatterHits | null>; failed: Ref<boolean>; ask: () => void } {
  const hits = ref<MatterHits | null>(null)
  const failed = ref(false)
  let asked = 0

  async function ask(): Promise<void> {
    if (query().limit === 0) return // not measured yet how many fit
    const mine = (asked += 1)
    failed.value = false
    try {
      const found = await kiosk.find(query())
      if (mine === asked) hits.value = found
    } catch {
      if (mine === asked) failed.value = true
    }
  }

  watch(() => JSON.stringify(query()), () => void ask(), { immediate: true })
  return { hits, failed, ask: () => void ask() }
}
