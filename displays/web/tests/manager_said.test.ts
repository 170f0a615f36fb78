/** What the manager's page says of a request: in the present language, and of its own tab only. */
import { describe, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'
import { ApiProblem } from '../src/core/api'
import { setLocale } from '../src/core/i18n'
import type { Session } from '../src/core/wire'
import { useManager } from '../src/manager/useManager'

const problem = vi.hoisted(() => ({ next: null as unknown }))
vi.mock('../src/core/live', () => ({ connectLive: () => ({ state: { views: {} }, documents: () => ({}), close() { return undefined } }) }))
vi.mock('../src/core/api', async (original) => ({
  ...(await original<typeof import('../src/core/api')>()),
  request: () => (problem.next === null ? Promise.resolve(undefined) : Promise.reject(problem.next)),
}))
vi.mock('../src/staff/session', () => ({ path: (...parts: string[]) => parts.join('/') }))
vi.stubGlobal('document', { documentElement: { lang: '' } })

describe('UX M-01 what came of a request', () => {
  it('a refusal is said in the present language, and goes with its tab', async () => {
    const at = useManager({} as Session)
    problem.next = new ApiProblem({ status: 409, code: 'page-away', title: '页面没有连接', title_en: 'The page is not connected', field: '' })
    expect(await at.tell(['devices', 'd', 'test'], { body: {} }, '已请求')).toBe(false)
    expect(at.state.said).toBe('页面没有连接')
    setLocale('en')
    await nextTick()
    expect([at.state.said, at.state.tone]).toEqual(['The page is not connected', 'alert'])
    at.hush()
    expect(at.state.said).toBe('')
  })
  it('what was done is said in one language, and ends with it', async () => {
    const at = useManager({} as Session)
    problem.next = null
    expect(await at.tell(['message'], { body: {} }, 'Taken away')).toBe(true)
    expect(at.state.said).toBe('Taken away')
    setLocale('zh-CN')
    await nextTick()
    expect(at.state.said).toBe('')
  })
})
