/** UX D-07 and W-05: what does not fit is shrunk or paged, never cut. */
import { describe, expect, it } from 'vitest'
import { fit, pageMs, pagesOf } from '../src/core/fit'

describe('fit', () => {
  it('leaves what fits alone and shrinks the rest', () => {
    expect(fit('A016', 4)).toBe(1)
    expect(fit('A1016', 4)).toBe(0.8)
  })
})

describe('UX D-07', () => {
  it('keeps every letter of a long notice, in pages that fit', () => {
    const text = '今天十一点半到一点半，三号到六号窗口轮流值守，不动产登记改到二楼东侧办理；需要帮助请到导办台'
    const pages = pagesOf(text, 20)
    expect(pages.length).toBeGreaterThan(1)
    for (const page of pages) expect(page.length).toBeLessThanOrEqual(20)
    expect(pages.join('').replace(/[，；。、]/g, '')).toBe(text.replace(/[，；。、]/g, ''))
  })
  it('shows a page 4 s and 0.3 s a hanzi at least', () => {
    expect(pageMs('短')).toBe(4000)
    expect(pageMs('字'.repeat(30))).toBe(9000)
  })
  it('has no page for no text', () => {
    expect(pagesOf('  ', 20)).toEqual([])
  })
})
