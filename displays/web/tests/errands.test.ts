/** UX D-15: "remote: identify, reload, screenshot-lite (DOM text + viewport) to the manager"; V-07: the first sound is told. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Errand, ErrandDone } from '../src/core/wire'

const shown: string[] = []
vi.mock('../src/remote/device', () => ({ showDevice: (facts: () => { name: string }) => shown.push(facts().name) }))
const { carryOut } = await import('../src/remote/errands')

const errand = (what: string): Errand => ({ type: 'errand', id: 'e', epoch: 1, what, name: 'P-03', place: { zh: '', en: 'Zone B' } })
let told: ErrandDone[]
let reloads: number
const ask = (what: string, free = true, quiet = true) => carryOut(errand(what), {
  free: () => free, quiet: () => quiet, facts: () => ({ name: 'x', address: '', build: 'b', shows: '', sound: '' }),
  tell: (done) => told.push(done), reload: () => { reloads += 1 },
})

beforeEach(() => {
  vi.useFakeTimers()
  told = []
  reloads = 0
  shown.length = 0
  vi.stubGlobal('innerWidth', 1920)
  vi.stubGlobal('innerHeight', 1080)
  vi.stubGlobal('devicePixelRatio', 2)
  vi.stubGlobal('document', { body: { innerText: 'A016 → 3'.repeat(4000) } })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('D-15', () => {
  it('reload answers before the page goes, and goes once', async () => {
    ask('reload')
    expect(told.map((done) => done.outcome)).toEqual(['done'])
    expect(reloads).toBe(0)
    await vi.advanceTimersByTimeAsync(1000)
    expect(reloads).toBe(1)
  })
  it('no sentence is cut off, and nobody at a kiosk loses their page', async () => {
    ask('reload', true, false)
    ask('reload', false)
    ask('identify', false)
    await vi.advanceTimersByTimeAsync(1000)
    expect(told.map((done) => done.outcome)).toEqual(['busy', 'busy', 'busy'])
    expect([reloads, shown.length]).toEqual([0, 0])
  })
  it('identify shows the name that the staff gave', () => {
    ask('identify')
    expect(shown).toEqual(['P-03'])
  })
  it('look is the text and the viewport, no more than the server takes, also while somebody uses the page', () => {
    ask('look', false, false)
    expect(told[0]).toMatchObject({ outcome: 'done', width: 1920, height: 1080, ratio: 2 })
    expect(told[0]?.text?.length).toBe(16_000)
  })
  it('what this build does not know fails by name', () => {
    ask('dance')
    expect(told[0]).toMatchObject({ outcome: 'failed', reason: 'unknown: dance' })
  })
})
