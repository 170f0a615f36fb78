/** The language that staff choose outlives a reload of their page. */
import { beforeEach, describe, expect, it, vi } from 'vitest'

const kept = new Map<string, string>()
beforeEach(() => {
  kept.clear()
  vi.resetModules()
  vi.stubGlobal('document', { documentElement: { lang: '' }, createElement: () => ({}) })
  vi.stubGlobal('sessionStorage', { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value) })
})

describe('the language of a staff page', () => {
  it('is Chinese at first, and after a reload the one that was chosen', async () => {
    const first = await import('../src/core/language')
    expect(first.keptLocale()).toBe('zh-CN')
    first.turnLocale()
    vi.resetModules()
    const again = await import('../src/core/language')
    expect(again.keptLocale()).toBe('en')
  })
  it('turns though nothing can be kept', async () => {
    vi.stubGlobal('sessionStorage', { getItem: () => { throw new Error('off') }, setItem: () => { throw new Error('off') } })
    const { keptLocale, turnLocale } = await import('../src/core/language')
    const { locale } = await import('../src/core/i18n')
    turnLocale()
    expect([keptLocale(), locale.value]).toEqual(['zh-CN', 'en'])
  })
})
